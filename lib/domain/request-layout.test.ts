import { describe, expect, test } from "vitest";
import {
  claimKey,
  claimResultKey,
  compactTime,
  parseClaimKey,
  parseRequestKey,
  requestKey,
  requestOutcomeKey,
} from "./request-layout.ts";

const SUBJECT = { batchTaskId: "batch-1", statusTime: "20261120T010305Z" };

test("a status time is compact and drops what is below a second", () => {
  expect(compactTime(Date.parse("2026-11-20T01:03:05.999Z"))).toBe("20261120T010305Z");
});

describe("a request's keys", () => {
  test("are exactly those of the architecture page, and come back from themselves", () => {
    expect(requestKey(SUBJECT)).toBe("requests/batch-1-20261120T010305Z.json");
    expect(requestOutcomeKey(SUBJECT)).toBe("requests/batch-1-20261120T010305Z.outcome.json");
    expect(parseRequestKey(requestKey(SUBJECT))).toEqual({ subject: SUBJECT, isOutcome: false });
    expect(parseRequestKey(requestOutcomeKey(SUBJECT))).toEqual({ subject: SUBJECT, isOutcome: true });
  });

  test("of an id that looks like a request's own name stay apart", () => {
    const odd = { batchTaskId: "b-20261120T010305Z", statusTime: "20261121T000000Z" };
    expect(parseRequestKey(requestKey(odd))?.subject).toEqual(odd);
  });

  test.each([
    "requests/batch-1.json",
    "requests/batch.1-20261120T010305Z.json",
    "requests/batch-1-20261120T010305.json",
    "requests/-20261120T010305Z.json",
    `requests/${"b".repeat(37)}-20261120T010305Z.json`,
    "requests/x/batch-1-20261120T010305Z.json",
    "requests/batch-1-20261120T010305Z.json\n",
    "requests/batch-1.claim-1.json",
    "x/requests/batch-1-20261120T010305Z.json",
  ])("%j is none", (key) => {
    expect(parseRequestKey(key)).toBeUndefined();
  });
});

describe("a claim's keys", () => {
  test("are below the batch task's prefix and come back from themselves", () => {
    expect(claimKey("batch-1", 12)).toBe("requests/batch-1.claim-12.json");
    expect(claimResultKey("batch-1", 12)).toBe("requests/batch-1.claim-12.result.json");
    expect(parseClaimKey("requests/batch-1.claim-12.json", "batch-1")).toEqual({
      number: 12,
      isResult: false,
    });
    expect(parseClaimKey("requests/batch-1.claim-12.result.json", "batch-1")).toEqual({
      number: 12,
      isResult: true,
    });
  });

  test.each([
    "batch-1.claim-0.json",
    "batch-1.claim-01.json",
    "batch-1.claim-10000.json",
    "batch-10.claim-1.json",
  ])("%j is none", (name) => {
    expect(parseClaimKey(`requests/${name}`, "batch-1")).toBeUndefined();
  });
});
