import { VirtualClock } from "../../../test/world/virtual-clock.ts";
import type { ExportTask } from "../../domain/export-task.ts";
import { LeftAloneTally } from "../../domain/left-alone.ts";
import type { TaskMessage } from "../../domain/task-message.ts";
import { type Slot, SlotLost, type TakeOptions } from "../../pacing/pacer.ts";
import type { ExportDownload, OddItem, TimedCallOptions } from "../../ports/platform.ts";
import { TimeLimit } from "../../run/deadline.ts";
import type { Attempt } from "../attempt.ts";
import type { ArchiveEvent } from "../events.ts";
import type { ArchiveSettings } from "../settings.ts";

export const ID = "5f2d9c3a1b2c3d4e5f6a7b8c";

/** What a test says of its attempt; lists are empty unless it says otherwise, and store, records and queue are not there. */
export interface BareAttemptParts {
  readonly message?: Partial<TaskMessage>;
  readonly settings?: Partial<ArchiveSettings>;
  /** How long the run takes at most; default: no limit. */
  readonly runLimitMs?: number;
  readonly lists?: () => readonly ExportTask[];
  readonly oddItems?: () => readonly OddItem[];
  readonly download?: (options: TimedCallOptions) => Promise<ExportDownload>;
  readonly take?: (deadlineMs: number, options: TakeOptions) => Promise<Slot | "none">;
  readonly deleteTask?: (options: TimedCallOptions) => Promise<void>;
}

/** An attempt of which only one step is played, on a clock that stands until the test moves it. */
export class BareAttempt {
  readonly clock = new VirtualClock();
  readonly events: ArchiveEvent[] = [];
  readonly stop = new AbortController();
  readonly attempt: Attempt;
  ticketsReleased = 0;
  /** Downloads that were let through. */
  served = 0;

  constructor(parts: BareAttemptParts = {}) {
    const { clock } = this;
    const settings = {
      downloadIntervalMs: 31_000,
      absenceConfirmMs: 60_000,
      minTaskMs: 60_000,
      taskTimeoutMs: 600_000,
      deletion: "after-verify",
      ...parts.settings,
    };
    const run: unknown = {
      settings,
      leftAlone: new LeftAloneTally((item) => this.events.push({ kind: "left-alone", item })),
      limitAtMs: parts.runLimitMs ?? Number.POSITIVE_INFINITY,
      pacer: {
        nowMs: () => clock.monotonicMs(),
        take: (deadlineMs: number, _call: unknown, options: TakeOptions) => parts.take?.(deadlineMs, options),
        noteServed: () => {
          this.served += 1;
        },
      },
      ports: {
        clock,
        observe: (event: ArchiveEvent) => this.events.push(event),
        platform: {
          listExportTasks: async () => ({
            tasks: parts.lists?.() ?? [],
            oddItems: parts.oddItems?.() ?? [],
            platformDateMs: undefined,
          }),
          showExportTask: async (_id: string, options: TimedCallOptions) => parts.download?.(options),
          deleteExportTask: async (_id: string, options: TimedCallOptions) => parts.deleteTask?.(options),
        },
      },
    };
    this.attempt = {
      // Of the run, one step needs no more than this.
      run: run as Attempt["run"],
      exportTaskId: ID,
      message: { exportTaskId: ID, requestedAtMs: clock.wallMs(), ...parts.message },
      limit: new TimeLimit(clock, this.stop.signal),
      ticket: {
        wait: async () => undefined,
        release: () => {
          this.ticketsReleased += 1;
        },
      },
    };
  }
}

/** A slot in which the request may be written. */
export function slotOf(onRelease: () => void = () => undefined): Slot {
  return {
    startsAtMs: 0,
    ready: async () => undefined,
    take: () => Promise.reject(new Error("this slot is not lost")),
    release: onRelease,
  };
}

/** A slot that is lost; `take` gives the one in its place. */
export function lostSlot(take: Slot["take"], onRelease?: () => void): Slot {
  return { ...slotOf(onRelease), ready: () => Promise.reject(new SlotLost()), take };
}

/** An answer whose body stays unread; counts how often it was dropped. */
export class UnreadDownload implements ExportDownload {
  readonly contentLengthBytes = undefined;
  cancelled = 0;

  // biome-ignore lint/correctness/useYield: it stays unread
  readonly body = (async function* (): AsyncGenerator<Uint8Array> {
    throw new Error("this body was not to be read");
  })();

  cancel(): void {
    this.cancelled += 1;
  }
}
