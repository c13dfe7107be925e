import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../test/world/virtual-clock.ts";
import type { TaskMessage } from "../domain/task-message.ts";
import { admit } from "./receive-task.ts";
import type { Run } from "./run.ts";

const MAX_RECEIVES = 20;
const RUN_LIMIT_MS = 840_000;
const exportTaskId = "export-01";

/** Admits a message after so much of a run of 14 min has passed. */
async function admitted(message: Partial<TaskMessage>, { atMs = 0, receiveCount = 1 } = {}) {
  const clock = new VirtualClock();
  await clock.run(() => clock.sleep(atMs));
  // Of the run, this part of admission needs the time and one setting; it asks no port.
  const run: unknown = {
    ports: { clock },
    settings: { maxReceives: MAX_RECEIVES },
    limitAtMs: RUN_LIMIT_MS,
  };
  const parsed = { kind: "task", message: { exportTaskId, ...message } } as const;
  const received = { handle: "h", receiveCount, body: exportTaskId, parsed };
  return await admit(run as Run, received, 0, new AbortController().signal);
}

const startWallMs = new VirtualClock().wallMs();

describe("a message", () => {
  test("is requested at first state and may start", async () => {
    expect(await admitted({}, { atMs: 5 })).toEqual({
      kind: "attempt",
      message: { exportTaskId, requestedAtMs: startWallMs + 5 },
      exclusive: false,
    });
  });

  test("keeps the moment it was first seen", async () => {
    expect(await admitted({ requestedAtMs: 7 })).toMatchObject({ message: { requestedAtMs: 7 } });
  });

  test.each([
    ["1 ms early: handed back until then", 1, { kind: "not-yet", delayMs: 1 }],
    ["an hour early: handed back until then", 3_600_000, { kind: "not-yet", delayMs: 3_600_000 }],
    ["at its moment: may start", 0, { kind: "attempt" }],
    ["late: may start", -1, { kind: "attempt" }],
  ])("that says when it is due, %s", async (_when, dueInMs, expected) => {
    expect(await admitted({ notBeforeMs: startWallMs + dueInMs })).toMatchObject(expected);
  });

  test("that needs a full run starts alone while half the run is ahead", async () => {
    const halfMs = RUN_LIMIT_MS / 2;
    const message = { needsFullRun: true };
    expect(await admitted(message, { atMs: halfMs })).toMatchObject({ kind: "attempt", exclusive: true });
    expect(await admitted(message, { atMs: halfMs + 1 })).toEqual({ kind: "not-yet", delayMs: halfMs - 1 });
    expect(await admitted(message, { atMs: RUN_LIMIT_MS + 1 })).toEqual({ kind: "not-yet", delayMs: 0 });
  });

  test("received as often as the settings allow is sent again, to be worked alone", async () => {
    const before = await admitted({}, { receiveCount: MAX_RECEIVES - 1 });
    expect(before).toMatchObject({ kind: "attempt", exclusive: false });
    expect(await admitted({ attempts: 2 }, { receiveCount: MAX_RECEIVES })).toEqual({
      kind: "isolate",
      message: { exportTaskId, attempts: 2, requestedAtMs: startWallMs, alone: true },
    });
  });

  test("that is worked alone already starts alone, with two deaths behind it at most", async () => {
    const alone = { alone: true };
    expect(await admitted(alone, { receiveCount: 2 })).toMatchObject({ kind: "attempt", exclusive: true });
  });
});
