import { expect, test } from "vitest";
import { SeededRandom } from "../../test/world/seeded-random.ts";
import { VirtualClock } from "../../test/world/virtual-clock.ts";
import { emptyCounts } from "../records/run-report.ts";
import { failedRunReport } from "./run-summary.ts";

test("a run that failed before it could begin has a whole report all the same", () => {
  const clock = new VirtualClock({ startWallMs: Date.UTC(2026, 10, 22, 1, 0, 0) });
  const failure = { code: "configuration", message: "ARCHIVER_STORE is missing", hint: "Set it." };
  expect(failedRunReport({ clock, random: new SeededRandom(1) }, failure)).toEqual({
    runId: expect.stringMatching(/^20261122T010000000Z-[0-9a-f]{8}$/),
    startedAt: "2026-11-22T01:00:00.000Z",
    endedAt: "2026-11-22T01:00:00.000Z",
    stopReason: "system-failure",
    counts: emptyCounts(),
    bytes: 0,
    pacing: "shared",
    tasks: [],
    platform: { held: 0, limit: 50 },
    failure,
  });
});
