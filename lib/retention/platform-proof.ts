import {
  type FreshList,
  freshList,
  LIST_MAX_AGE_MS,
  listedAs,
  MAX_CLOCK_SKEW_MS,
} from "../run/platform-list.ts";
import type { ExpiryPorts, RetentionPorts, RetentionSettings } from "./run.ts";

/** What a fresh, complete list says of one task. */
export type RemovalSight = "absent" | "still-listed" | "empty-list" | "odd-list";

/**
 * What the platform's lists prove for expiry. A list that fails throws, so it proves nothing. An empty one
 * proves nothing either: a wrong project, a lost permission and a platform in trouble look the same.
 */
export class PlatformProof {
  readonly #ports: ExpiryPorts;
  readonly #settings: RetentionSettings;
  readonly #signal: AbortSignal;

  constructor(ports: ExpiryPorts, settings: RetentionSettings, signal: AbortSignal) {
    this.#ports = ports;
    this.#settings = settings;
    this.#signal = signal;
  }

  /** A list begun now. @throws SystemFailure when the platform gives no complete one. */
  async look(): Promise<FreshList> {
    return await freshList(this.#ports, this.#settings, this.#signal);
  }

  /** Looks for one task in a list begun now. @throws SystemFailure */
  async lookFor(exportTaskId: string): Promise<{ readonly sight: RemovalSight; readonly list: FreshList }> {
    const list = await this.look();
    return { sight: removalSightIn(list, exportTaskId), list };
  }

  isFresh({ startedAtMs }: FreshList): boolean {
    return this.#ports.clock.monotonicMs() - startedAtMs <= LIST_MAX_AGE_MS;
  }
}

/** What a complete list says of a task, by its id alone: another revision of it is the task, too. */
export function removalSightIn(list: FreshList, exportTaskId: string): RemovalSight {
  if (list.tasks.length === 0) {
    return "empty-list";
  }
  const sight = listedAs(list, exportTaskId);
  switch (sight) {
    case "absent":
      return "absent";
    case "listed":
    case "odd":
      return "still-listed";
    case "unproved":
      return "odd-list";
  }
}

/**
 * The earliest of all clocks: a clock that is ahead never brings a removal forward.
 * @param platformDateMs as a list begun now tells it.
 */
export async function earliestClockMs(
  ports: RetentionPorts,
  platformDateMs: number | undefined,
  signal: AbortSignal,
): Promise<number> {
  const clocks = [ports.clock.wallMs(), await ports.store.readClockMs({ signal }), platformDateMs];
  const known = clocks.filter((clockMs) => clockMs !== undefined);
  const earliestMs = Math.min(...known);
  if (Math.max(...known) - earliestMs > MAX_CLOCK_SKEW_MS) {
    ports.observe({
      kind: "warning",
      code: "clock-skew",
      message:
        "the clocks of this machine, the store and the platform differ by more than 5 minutes; the earliest counts",
    });
  }
  return earliestMs;
}
