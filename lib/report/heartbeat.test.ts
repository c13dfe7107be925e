import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../test/world/virtual-clock.ts";
import { NotifyError } from "../ports/notifier.ts";
import { emptyCounts, type RunReport } from "../records/run-report.ts";
import { endOfDiscover, endOfRun, type Pinging, withHeartbeat } from "./heartbeat.ts";

const FAILURE = { code: "store-full", message: "no space is left", hint: "Make room." };
const REPORT: RunReport = {
  runId: "20261122T010000000Z-0123abcd",
  startedAt: "2026-11-22T01:00:00.000Z",
  endedAt: "2026-11-22T01:20:00.000Z",
  stopReason: "drained",
  counts: { ...emptyCounts(), received: 3, archived: 2, deleted: 2, retried: 1 },
  bytes: 4_096,
  pacing: "shared",
  tasks: [],
  platform: { held: 1, limit: 50 },
};
const REFUSED = new NotifyError({
  code: "notify-refused",
  problem: "the receiver refused the message (status 404)",
  scope: "task",
  retry: "never",
  hint: "Compare the address.",
});

type Sent = (beat: string, signal: AbortSignal) => Promise<void>;

/** A check on a virtual clock, and what it and the operator heard. */
function check(sent: Sent = async () => undefined) {
  const clock = new VirtualClock();
  const abort = new AbortController();
  const heard: string[] = [];
  const pinging: Pinging = {
    heartbeat: {
      ping(beat, text, { signal }) {
        heard.push(`${beat} ${text}`.trim());
        return sent(beat, signal);
      },
    },
    clock,
    signal: abort.signal,
    redact: (text) => text.replaceAll("planted", "[redacted]"),
    say: (message) => heard.push(`said: ${message}`),
  };
  const told = { starts: true, endOf: endOfRun };
  const run = (work: () => Promise<RunReport>) => clock.run(() => withHeartbeat(pinging, told, work));
  return { clock, abort, heard, run };
}

const hang: Sent = (_beat, signal) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));

describe("the check hears", () => {
  test("of a start before the run, and of success with a few lines after it", async () => {
    const { heard, run } = check();
    const report = await run(async () => {
      heard.push("run");
      return REPORT;
    });
    expect(report).toBe(REPORT);
    expect(heard).toEqual([
      "start",
      "run",
      "success 2 archived (4.00 KiB), 2 deleted, 0 kept, 0 given up\n1 to be tried again, 0 postponed\n1 of 50 export slots used\nrun 20261122T010000000Z-0123abcd: drained",
    ]);
  });

  test("of a system failure, and of a run that threw, without secrets", async () => {
    const { heard, run } = check();
    const failure = { ...FAILURE, message: "no planted space" };
    await run(async () => ({ ...REPORT, stopReason: "system-failure", failure }));
    await expect(run(() => Promise.reject(REFUSED))).rejects.toBe(REFUSED);
    expect(heard.filter((line) => line !== "start")).toEqual([
      "fail System failure store-full: no [redacted] space\nMake room.",
      "fail System failure notify-refused: the receiver refused the message (status 404)\nCompare the address.",
    ]);
  });

  test.each(["drained", "no-pressure", "time-budget"] as const)(
    "success when a run ended as %s",
    (stopReason) => {
      expect(endOfRun({ ...REPORT, stopReason })?.beat).toBe("success");
    },
  );

  test("nothing of a run that was interrupted, or never saw the platform", async () => {
    expect(endOfRun({ ...REPORT, stopReason: "aborted" })).toBeUndefined();
    expect(endOfRun({ ...REPORT, stopReason: "time-budget", platform: { limit: 50 } })).toBeUndefined();
    const { abort, heard, run } = check();
    await expect(
      run(async () => {
        abort.abort("the operator's interrupt");
        throw new Error("interrupted");
      }),
    ).rejects.toThrow("interrupted");
    expect(heard).toEqual(["start"]);
  });

  test("of a failure beside the run's own, and of failures of a discover run alone", () => {
    expect(endOfRun(REPORT, FAILURE)?.beat).toBe("fail");
    expect(endOfDiscover({ failure: FAILURE })?.beat).toBe("fail");
    expect(endOfDiscover({})).toBeUndefined();
  });
});

describe("a check that does not listen changes nothing", () => {
  test("when it hangs: each ping takes 10 s at most, the first one while the run works", async () => {
    const { clock, heard, run } = check(hang);
    const report = await run(async () => {
      await clock.sleep(60_000);
      return REPORT;
    });
    expect(report).toBe(REPORT);
    expect(clock.monotonicMs()).toBe(70_000);
    expect(heard.filter((line) => line.startsWith("said"))).toEqual([
      "said: The heartbeat was not taken (start): the receiver did not answer in time.",
      "said: The heartbeat was not taken (success): the receiver did not answer in time.",
    ]);
    expect(clock.countPending()).toBe(0);
  });

  test("when it refuses or breaks", async () => {
    const { heard, run } = check((beat) => Promise.reject(beat === "start" ? REFUSED : new Error("planted")));
    expect(await run(async () => REPORT)).toBe(REPORT);
    expect(heard.filter((line) => line.startsWith("said"))).toEqual([
      "said: The heartbeat was not taken (start): the receiver refused the message (status 404).",
      "said: The heartbeat was not taken (success): an unexpected Error was thrown.",
    ]);
  });
});

test("a start that is slow arrives before the end", async () => {
  const { clock, heard, run } = check(async (beat) => {
    await clock.sleep(beat === "start" ? 5_000 : 0);
    heard.push(`${beat} taken`);
  });
  await run(async () => REPORT);
  expect(heard.map((line) => line.split(" ", 2).join(" "))).toEqual([
    "start",
    "start taken",
    "success 2",
    "success taken",
  ]);
});
