import { expect, test } from "vitest";
import { METRIC_UNITS } from "../observability/metrics.ts";
import { metricsOfExpire, metricsOfRetain } from "./retention-metrics.ts";

test("a retain run counts outcomes; what did not occur is 0", () => {
  const counts = {
    retained: 3,
    refused: 1,
    failed: 6,
    unrecorded: 2,
    missing: 4,
    unreadable: 5,
    "up-to-date": 9,
  };
  expect(metricsOfRetain({ counts })).toEqual({
    ObjectsRetained: 3,
    RetentionRefused: 7,
    UnrecordedObjects: 2,
    DamagedObjects: 9,
  });
  expect(Object.values(metricsOfRetain({ counts: {} }))).toEqual([0, 0, 0, 0]);
});

test("an expire run counts what it removed, and what stays until a person has looked", () => {
  const counts = { checked: 9, due: 5, removed: 2, markedGone: 0 };
  const stayed = (
    ["held", "locked", "missing", "empty-list", "lost-race", "unreadable", "no-time"] as const
  ).map((reason) => ({ exportTaskId: "night-01", revision: "fe8e44f7", reason }));
  const metrics = metricsOfExpire({ counts, stayed });
  expect(metrics).toEqual({ ObjectsExpired: 2, ExpiryBlocked: 4 });
  expect(Object.keys(METRIC_UNITS)).toEqual(expect.arrayContaining(Object.keys(metrics)));
});
