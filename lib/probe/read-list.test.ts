import { describe, expect, test } from "vitest";
import type { ExportTask } from "../domain/export-task.ts";
import type { ListPageAnswer } from "../ports/platform-answers.ts";
import type { Asked, CreatedExport, Seen } from "./evidence.ts";
import {
  readCreateTime,
  readFileLifetime,
  readMarker,
  readOffsetCode,
  readRunningEndTime,
} from "./read-list.ts";

const NOT_ASKED = { kind: "not-asked", why: "it was not" } as const;
const NOW_MS = Date.UTC(2026, 10, 30, 12);

function task(changes: Partial<ExportTask> & { readonly exportTaskId: string }): ExportTask {
  return {
    status: "Success",
    resourceType: "BatchTask",
    resourceCondition: {},
    appType: undefined,
    appId: undefined,
    exportCount: 1,
    createTime: undefined,
    endTime: undefined,
    source: {},
    ...changes,
  };
}

function seenWith(changes: Partial<Seen> & { readonly tasks?: readonly ExportTask[] }): Seen {
  const { tasks = [], ...more } = changes;
  return {
    list: { tasks, oddItems: [], startedAtMs: 0, platformDateMs: NOW_MS, platformMs: NOW_MS },
    running: [],
    page: NOT_ASKED,
    beyondLastOffset: NOT_ASKED,
    created: NOT_ASKED,
    files: { unknown: NOT_ASKED, unfinished: NOT_ASKED, finished: NOT_ASKED },
    unfinishedStatus: undefined,
    throttled: [],
    ...more,
  };
}

function page(marker: string | undefined, lastExportTaskId: string | undefined): Asked<ListPageAnswer> {
  return { kind: "told", value: { totalCount: 1, marker, lastExportTaskId } };
}

test.each([
  ["the id", page("5f2d9c3a", "5f2d9c3a"), /^Yes\. .* 8 hex digits, the id 8 hex digits\.$/],
  ["another", page("5f2d9c3a", "export_1"), /^No\. .* 8 hex digits, the id 8 characters\.$/],
  ["none", page(undefined, "export_1"), /no marker/],
  ["of an empty list", page(undefined, undefined), /^Not asked: the list is empty/],
] as const)("a marker that is %s is told without showing it", (_what, asked, said) => {
  const { text } = readMarker(seenWith({ page: asked }));
  expect(text).toMatch(said);
  expect(text).not.toMatch(/5f2d|export_1/);
});

describe("the end time of a task that runs", () => {
  test("is told by its form, each task once", () => {
    const running = [
      task({ exportTaskId: "a", source: {} }),
      task({ exportTaskId: "a", source: {} }),
      task({ exportTaskId: "b", source: { end_time: null } }),
      task({ exportTaskId: "c", source: { end_time: "x" } }),
    ];
    expect(readRunningEndTime(seenWith({ running })).text).toBe(
      "Of 3 tasks seen as `Processing`, `end_time` is absent in 1, null in 1, present in 1.",
    );
  });

  test("is not told where none was seen", () => {
    expect(readRunningEndTime(seenWith({})).state).toBe("not-asked");
  });
});

describe("the times", () => {
  const tasks = [
    task({ exportTaskId: "a", createTime: "2026-11-30T01:02:03.000Z", endTime: "2026-11-29T12:00:00.250Z" }),
    task({ exportTaskId: "b", createTime: "20261130T010203Z", endTime: "secret words" }),
  ];

  test("are told by their formats and milliseconds; other text is not shown", () => {
    const { text } = readCreateTime(seenWith({ tasks }));
    expect(text).toBe(
      "Formats seen: `0000-00-00T00:00:00.000Z`, `00000000T000000Z`, `(no time)`. Of 4 times, 1 have milliseconds other than 0.",
    );
  });

  test("of the probe's own export are compared with the platform's clock", () => {
    const listed = task({ exportTaskId: "own", createTime: "2026-11-30T20:00:02.000Z" });
    const value: CreatedExport = {
      exportTaskId: "own",
      answered: undefined,
      listed,
      earlierIds: [],
      stillListedIds: [],
      platformMs: NOW_MS,
    };
    // Eight hours: a time of another zone, written as UTC.
    expect(readCreateTime(seenWith({ created: { kind: "told", value } })).text).toContain(
      "is 28802 s after the platform's clock",
    );
  });

  test("of finished exports give the least time that a file stays", () => {
    expect(readFileLifetime(seenWith({ tasks })).text).toMatch(
      /^At least 1\.0 days: the oldest of 1 finished/,
    );
    expect(readFileLifetime(seenWith({})).state).toBe("not-asked");
  });
});

test.each([
  ["accepted", page(undefined, undefined), "answered", /^None: /],
  ["not asked for", NOT_ASKED, "not-asked", /^Not asked/],
  [
    "refused",
    {
      kind: "refused",
      refusal: { httpStatus: 400, platformCode: "IOTDA.000018", code: "platform-rejected-request" },
    },
    "answered",
    /status 400 with code `IOTDA\.000018`/,
  ],
] as const)("an offset out of range that is %s", (_what, beyondLastOffset, state, said) => {
  const finding = readOffsetCode(seenWith({ beyondLastOffset }));
  expect(finding.state).toBe(state);
  expect(finding.text).toMatch(said);
});
