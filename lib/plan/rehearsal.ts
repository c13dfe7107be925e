import { drain } from "../archive/archive-run.ts";
import type { ArchiveEvent, ArchivePorts } from "../archive/events.ts";
import { type ArchiveSettings, RUN_WAITS_FOR_DUE_MS } from "../archive/settings.ts";
import { type DiscoverReport, discover } from "../discovery/discover.ts";
import { ArchiverError, type Failure } from "../domain/errors.ts";
import { DISCOVERED_STATE_KEY } from "../domain/key-layout.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { StoreAbilities } from "../ports/object-store.ts";
import type { Platform } from "../ports/platform.ts";
import { type FreshList, freshList } from "../run/platform-list.ts";
import { RehearsalClock } from "./rehearsal-clock.ts";
import { RehearsalPlatform } from "./rehearsal-platform.ts";
import { RehearsalQueue } from "./rehearsal-queue.ts";
import { type ReadableStore, RehearsalStore } from "./rehearsal-store.ts";

/** All that a rehearsal asks of the world: it can list and read, and nothing else. */
export interface RehearsalPorts {
  readonly platform: Pick<Platform, "listExportTasks">;
  readonly store: ReadableStore;
  readonly clock: Clock;
  /** Resolves once all that can go on without waiting has done so. */
  readonly nextTurn: () => Promise<void>;
}

/** An event of the rehearsed run, at its time. */
export interface TimedEvent {
  /** Epoch milliseconds. */
  readonly atMs: number;
  readonly event: ArchiveEvent;
}

/** A rehearsal that is about to begin: time stands still, and the platform stands as it was listed. */
export interface Stage {
  /** Epoch milliseconds. */
  readonly startedAtMs: number;
  readonly clock: RehearsalClock;
  readonly list: FreshList;
  /** What is read here before the rehearsal costs it no further call. */
  readonly store: RehearsalStore;
}

/** Lists the platform, once. @throws what the platform throws. */
export async function openStage(
  ports: RehearsalPorts,
  settings: Pick<ArchiveSettings, "downloadIntervalMs">,
  abilities: StoreAbilities,
  signal: AbortSignal,
): Promise<Stage> {
  const list = await freshList(ports, settings, signal);
  const startedAtMs = ports.clock.wallMs();
  const clock = new RehearsalClock(startedAtMs, ports.nextTurn);
  // What was enqueued lately is about to be worked on, by a message that the rehearsal cannot read.
  const hidden = new Set([DISCOVERED_STATE_KEY]);
  return {
    startedAtMs,
    clock,
    list,
    store: new RehearsalStore({ real: ports.store, clock, abilities, hidden }),
  };
}

/** What a run did that had no effect. */
export interface Rehearsal {
  readonly discovered: DiscoverReport;
  readonly events: readonly TimedEvent[];
  /** The tasks it deleted, with the moments in epoch milliseconds: an odd list may leave a deletion unconfirmed. */
  readonly deletions: ReadonlyMap<string, number>;
}

/**
 * `run` from its first call to its last, with ports that read the real places and keep every effect in memory: the
 * decisions are those of the policy itself. Nothing else changes meanwhile, and waiting costs no time.
 *
 * @throws what the real places throw, and the failure that would end the run. Throws the signal's reason.
 */
export async function rehearse(
  { clock, list, store }: Stage,
  settings: ArchiveSettings,
  signal: AbortSignal,
): Promise<Rehearsal> {
  const events: TimedEvent[] = [];
  const platform = new RehearsalPlatform(list, clock);
  const ports: ArchivePorts = {
    platform,
    store,
    queue: new RehearsalQueue(clock),
    clock,
    random: countingRandom(),
    observe: (event) => {
      events.push({ atMs: clock.wallMs(), event });
    },
  };
  // How long a real transfer takes is unknown: no limit cuts one here.
  const unlimited = { ...settings, taskTimeoutMs: Number.POSITIVE_INFINITY };
  let discovered: DiscoverReport | undefined;
  const report = await clock.run(() =>
    drain(ports, unlimited, {
      signal,
      waitForDueMs: RUN_WAITS_FOR_DUE_MS,
      prepare: async (whilePreparing) => {
        discovered = await discover(ports, settings, whilePreparing);
      },
    }),
  );
  signal.throwIfAborted();
  if (report.failure !== undefined || discovered === undefined) {
    throw failed(report.failure);
  }
  return { discovered, events, deletions: platform.deletions };
}

function failed(failure: Failure | undefined): ArchiverError {
  const { code, message, hint } = failure ?? {
    code: "rehearsal-stuck",
    message: "the rehearsal of the run ended before it began",
    hint: "This is a fault of the program. A run is not affected.",
  };
  return new ArchiverError(code, message, { scope: "system", retry: "later", hint });
}

/** The same numbers each time: two plans of one state are alike. */
function countingRandom(): Random {
  let drawn = 0;
  return {
    hex(bytes) {
      drawn += 1;
      return drawn
        .toString(16)
        .padStart(2 * bytes, "0")
        .slice(-2 * bytes);
    },
    fraction: () => 0.5,
  };
}
