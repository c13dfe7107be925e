import { SeededRandom } from "../world/seeded-random.ts";
import { FAULT_TABLE } from "./fault-table.ts";
import { drawArchive } from "./random-archive.ts";
import { drawQueue } from "./random-queue.ts";
import {
  type Happening,
  PLAIN_SETTINGS,
  type Story,
  type StoryFault,
  type StoryTask,
  storyOf,
  taskOf,
} from "./story.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const INTERVAL_MS = 31_000;

const DESTROYERS: ReadonlySet<string> = new Set(["evict", "remove", "rot"]);
/** Sites that no run calls; an operator's commands do. */
const NEVER_CALLED = new Set([
  "platform.createExportTask",
  "queue.listDeadLetters",
  "queue.redrive",
  // Drawn for a queue in the store.
  "store.removeObject",
]);
const ROWS = FAULT_TABLE.filter(({ site }) => !NEVER_CALLED.has(site));
/** Faults that can go on for good at one task without standing for an ill system. */
const POISONS = ROWS.filter(
  ({ kind, site }) =>
    (site === "platform.showExportTask" && (kind === "500" || kind === "disguised error")) ||
    (site === "platform.body" &&
      (kind.startsWith("short") || kind === "reset" || kind === "malformed answer")) ||
    (site === "store.write" && kind === "503"),
);
/** What fails together when a part of the world is away. */
const OUTAGES: readonly (readonly string[])[] = [
  rowNames("platform.", "503", "reset", "403 permission", "401 unauthenticated"),
  rowNames("store.", "503", "403 permission", "507 full"),
  rowNames("queue.", "503", "403 permission"),
  rowNames("platform.showExportTask", "403 throttle", "429", "500", "time-out"),
];

function rowNames(site: string, ...kinds: readonly string[]): readonly string[] {
  return ROWS.filter((row) => row.site.startsWith(site) && kinds.includes(row.kind)).map(({ name }) => name);
}

/** Draws the parts of one story from its seed. */
class Drawing {
  readonly #random: SeededRandom;
  readonly #seed: number;
  #created = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = new SeededRandom(seed).fork("story");
  }

  story(mostRunners: number): Story {
    const tasks = this.#tasks();
    const runners = this.#few(mostRunners).map((index) => this.#runner(index));
    const isCapable = this.#chance(0.7);
    const hasCrashLoop = this.#chance(0.03);
    const happenings = this.#chance(0.4) ? this.#few(4).map(() => this.#happening(tasks)) : [];
    const faults = this.#times(this.#random.integer(0, 4)).map(() => this.#fault(tasks, runners.length));
    const poison = this.#chance(0.04) ? [this.#poison(tasks)] : [];
    const loop: StoryFault[] = hasCrashLoop ? [{ kind: "crash-loop", id: this.#idOf(tasks) }] : [];
    const repeats = this.#chance(0.15);
    const told = storyOf({
      seed: this.#seed,
      runners,
      tasks,
      store: {
        createOnce: isCapable || this.#chance(0.3),
        compareAndSwap: isCapable,
        verification: this.#chance(0.3) ? "stored" : "read-back",
      },
      queue: {
        receiveWindow: this.#random.integer(1, 4),
        duplicateFraction: repeats ? 0.3 : 0,
        visibilityMs: this.#chance(0.3) ? 30_000 : 120_000,
      },
      platform: {
        throttleAnswer: this.#pick(["IOTDA.021101", "IOTDA.021102", "429"] as const),
        // A file that outlives its evicted owner, or its damaged copy, under another id and an unchanged revision is invisible to every runner.
        deleteRemovesSharedFile: this.#chance(0.7) || happenings.some(({ kind }) => DESTROYERS.has(kind)),
      },
      settings: {
        ...PLAIN_SETTINGS,
        deletion: this.#chance(0.05) ? "never" : "after-verify",
        maxReceives: hasCrashLoop ? 3 : 20,
      },
      discovers: this.#chance(0.15),
      faultyMs: !repeats && this.#chance(0.1) ? 6 * HOUR_MS : 40 * MINUTE_MS,
      happenings,
      faults: [...faults, ...poison, ...loop],
    });
    const { archive, runners: placed, swaps } = drawArchive(this.#seed, told);
    const placedStory = { ...told, archive, runners: placed, happenings: [...told.happenings, ...swaps] };
    return drawQueue(this.#seed, placedStory);
  }

  /** One most of the time: what goes wrong between few is found sooner among few. */
  #few(most: number): readonly number[] {
    const drawn = Math.floor(most * this.#random.fraction() ** 4);
    return this.#times(1 + drawn);
  }

  #times(count: number): readonly number[] {
    return Array.from({ length: count }, (_, index) => index);
  }

  #chance(share: number): boolean {
    return this.#random.fraction() < share;
  }

  #pick<T>(items: readonly T[]): T {
    const item = items[this.#random.integer(0, items.length - 1)];
    if (item === undefined) {
      throw new RangeError("there is nothing to pick from");
    }
    return item;
  }

  #idOf(tasks: readonly StoryTask[]): string {
    return this.#pick(tasks).id;
  }

  #tasks(): readonly StoryTask[] {
    let hasBadFile = false;
    return this.#few(6).map((index) => {
      const draw = this.#random.fraction();
      // Three alike and nothing else stand for an ill system, which only its operator can end.
      const isBad = !hasBadFile && draw > 0.1 && draw < 0.13;
      hasBadFile ||= isBad;
      return taskOf(`t${index + 1}`, {
        ...(draw < 0.06 ? { status: "Failed" } : {}),
        ...(draw > 0.92 ? { status: "Processing", processingMs: this.#random.integer(1_000, HOUR_MS) } : {}),
        ...(draw > 0.98 ? { endsAs: "Failed" } : {}),
        ...(draw > 0.06 && draw < 0.065 ? { status: "Stopping" } : {}),
        ...(isBad ? { file: this.#pick(["no-zip", "empty"] as const) } : {}),
        ...(index > 0 && draw > 0.2 && draw < 0.25 ? { sameConditionAs: "t1" } : {}),
        ...(draw > 0.3 && draw < 0.4 ? { sent: 2 } : {}),
      });
    });
  }

  #runner(index: number): Story["runners"][number] {
    const skewMs = this.#chance(0.3) ? this.#random.integer(-240_000, 240_000) : 0;
    const isWayOff = this.#chance(0.01);
    return {
      skewMs: isWayOff ? 600_000 : skewMs,
      offsetMs:
        index === 0
          ? 0
          : this.#chance(0.7)
            ? this.#random.integer(0, 5_000)
            : this.#random.integer(0, 600_000),
    };
  }

  #happening(tasks: readonly StoryTask[]): Happening {
    const atMs = this.#chance(0.6)
      ? this.#random.integer(0, 90_000)
      : this.#random.integer(0, 40 * MINUTE_MS);
    const id = this.#idOf(tasks);
    const processingMs = this.#random.integer(100, 20_000);
    const newId = () => {
      this.#created += 1;
      return `n${this.#created}`;
    };
    const kind = this.#pick([
      ...(["create", "create-same", "overwrite", "overwrite", "evict", "remove", "hold", "redrive"] as const),
      ...(["send", "send", "send-unreadable", "outage", "outage", "rot", "odd-item"] as const),
      ...(["slow-connections"] as const),
    ]);
    switch (kind) {
      case "create":
        return { kind, atMs, id: newId(), processingMs };
      case "create-same":
        return { kind: "create", atMs, id: newId(), processingMs, sameConditionAs: id };
      case "overwrite":
        return { kind, atMs, id, processingMs };
      case "evict":
        return { kind, atMs, id: newId() };
      case "remove":
      case "send":
        return { kind, atMs, id };
      case "hold": {
        const unknown = this.#chance(0.3) ? { unknown: true } : {};
        return this.#chance(0.5)
          ? { kind, atMs, id, ...unknown }
          : { kind, atMs, id, untilMs: atMs + this.#random.integer(1_000, HOUR_MS), ...unknown };
      }
      case "redrive":
      case "send-unreadable":
        return { kind, atMs };
      case "outage": {
        const untilMs = atMs + this.#random.integer(MINUTE_MS, this.#chance(0.2) ? 8 * HOUR_MS : HOUR_MS);
        const names = this.#pick(OUTAGES);
        const about = names.map((name) => name.split("/")[1]);
        const failure = this.#pick(about);
        const faults = names.filter((_name, index) => about[index] === failure);
        return { kind, atMs, untilMs, faults };
      }
      case "rot":
        return { kind, atMs, id, how: this.#pick(["removed", "damaged", "silently"] as const) };
      case "odd-item": {
        const untilMs = atMs + this.#random.integer(1_000, this.#chance(0.2) ? 8 * HOUR_MS : HOUR_MS);
        return {
          kind,
          atMs,
          untilMs,
          id,
          shows: this.#pick(["id", "condition", "nothing", "both"] as const),
        };
      }
      case "slow-connections": {
        const minMs = this.#random.integer(INTERVAL_MS / 62, this.#pick([4_000, 3 * INTERVAL_MS]));
        const maxMs = this.#random.integer(minMs, 3 * INTERVAL_MS);
        return { kind, atMs, untilMs: atMs + this.#random.integer(MINUTE_MS, HOUR_MS), minMs, maxMs };
      }
    }
  }

  #fault(tasks: readonly StoryTask[], runners: number): StoryFault {
    const draw = this.#random.fraction();
    const runner = this.#random.integer(0, runners - 1);
    if (draw < 0.2) {
      const when = this.#pick(["before", "after"] as const);
      return { kind: "crash", call: this.#random.integer(1, 50 * tasks.length), when, runner };
    }
    if (draw < 0.3) {
      const forMs = this.#pick([2_000, 40_000, 130_000, 20 * MINUTE_MS]);
      return { kind: "freeze", wakeUp: this.#random.integer(1, 150 * tasks.length), forMs, runner };
    }
    const times = this.#chance(0.8) ? 1 : this.#random.integer(2, 6);
    const id = this.#chance(0.3) ? { id: this.#idOf(tasks) } : {};
    const { name, site } = this.#pick(ROWS);
    const mostOccurrences = site.startsWith("platform.") || site.startsWith("queue.") ? 4 : 8;
    const occurrence = this.#random.integer(1, mostOccurrences * Math.ceil(tasks.length / 2));
    return { kind: "call", fault: name, occurrence, times, forever: false, ...id };
  }

  #poison(tasks: readonly StoryTask[]): StoryFault {
    const { name } = this.#pick(POISONS);
    return { kind: "call", fault: name, occurrence: 1, times: 1, id: this.#idOf(tasks), forever: true };
  }
}

/** The story of a seed: up to 6 tasks, up to `mostRunners` runners, everything that can happen or fail. */
export function randomStory(seed: number, mostRunners = 3): Story {
  return new Drawing(seed).story(mostRunners);
}
