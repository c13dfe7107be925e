import * as v from "valibot";
import { FOREIGN_PLACES } from "../world/places.ts";

const wholeMs = v.pipe(v.number(), v.integer(), v.minValue(0));
const taskId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,36}$/));
const count = v.pipe(v.number(), v.integer(), v.minValue(1));
const DEFAULT_TASK_TIMEOUT_MS = 600_000;

/** What the platform's file of a task is: a whole ZIP, or something no archiver may take for one. */
const fileKind = v.picklist(["zip", "no-zip", "empty"]);

const taskSchema = v.object({
  id: taskId,
  /** `Processing` ends as `endsAs` after `processingMs`; any other text stays as it is. */
  status: v.optional(v.string(), "Success"),
  endsAs: v.optional(v.picklist(["Success", "Failed"]), "Success"),
  processingMs: v.optional(wholeMs, 60_000),
  file: v.optional(fileKind, "zip"),
  /** Made with the condition of this earlier task, and so sharing its file. */
  sameConditionAs: v.optional(taskId),
  /** Bare ids of it in the queue at the start. */
  sent: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(5)), 1),
});

/** A store where the archive should be. */
const foreignPlace = v.picklist(FOREIGN_PLACES);

/** What the archive is at the start, and who knows which one is meant. */
const archiveSchema = v.object({
  /** `from-before`: it holds records, and no marker. `empty`: it was not made an archive yet. */
  home: v.picklist(["marked", "from-before", "empty"]),
  /** What the queue remembers: its archive, none yet, or nothing ever. */
  memory: v.picklist(["home", "blank", "none"]),
  /** Whether the settings name the archive. */
  isSet: v.boolean(),
});

/** Something that others do at a moment of true time. One that names a task that is not there does nothing. */
const happeningSchema = v.variant("kind", [
  /** A new export, Processing at first; with `sameConditionAs` it will overwrite that task's file. */
  v.object({
    kind: v.literal("create"),
    atMs: wholeMs,
    id: taskId,
    processingMs: wholeMs,
    sameConditionAs: v.optional(taskId),
  }),
  /** A same-condition create that keeps the id: another file, end time and row count. */
  v.object({ kind: v.literal("overwrite"), atMs: wholeMs, id: taskId, processingMs: wholeMs }),
  /** A create beyond the limit: the platform destroys the earliest task. */
  v.object({ kind: v.literal("evict"), atMs: wholeMs, id: taskId }),
  /** Another tool deletes the task. */
  v.object({ kind: v.literal("remove"), atMs: wholeMs, id: taskId }),
  /** `unknown`: by a file that cannot be understood, which holds every task. */
  v.object({
    kind: v.literal("hold"),
    atMs: wholeMs,
    id: taskId,
    untilMs: v.optional(wholeMs),
    unknown: v.exactOptional(v.boolean()),
  }),
  /** An operator moves every dead letter back. */
  v.object({ kind: v.literal("redrive"), atMs: wholeMs }),
  /** One more message for the task. */
  v.object({ kind: v.literal("send"), atMs: wholeMs, id: taskId }),
  /** A body that is not a message. */
  v.object({ kind: v.literal("send-unreadable"), atMs: wholeMs }),
  /** Every call to these sites fails as the fault table's row says; hours, or a throttling platform. */
  v.object({
    kind: v.literal("outage"),
    atMs: wholeMs,
    untilMs: wholeMs,
    faults: v.array(v.string()),
  }),
  /**
   * A stored object is damaged or removed by somebody; `silently`: a disk flips a bit, and size, ETag and
   * modification time stay. That happens only where the store keeps no checksum of its own.
   */
  v.object({
    kind: v.literal("rot"),
    atMs: wholeMs,
    id: taskId,
    how: v.picklist(["removed", "damaged", "silently"]),
  }),
  /** Lists show this task as an item that cannot be understood: with its id, with its condition, with neither or both. */
  v.object({
    kind: v.literal("odd-item"),
    atMs: wholeMs,
    untilMs: wholeMs,
    id: taskId,
    shows: v.picklist(["id", "condition", "nothing", "both"]),
  }),
  /**
   * Another store lies where the archive is. Unless it is `sudden` only between runs: a run that is under way goes
   * on in a store that it never opened.
   */
  v.object({
    kind: v.literal("swap"),
    atMs: wholeMs,
    untilMs: wholeMs,
    to: foreignPlace,
    sudden: v.boolean(),
  }),
  /** Connections to the platform take this long. */
  v.object({
    kind: v.literal("slow-connections"),
    atMs: wholeMs,
    untilMs: wholeMs,
    minMs: wholeMs,
    maxMs: wholeMs,
  }),
]);

const faultSchema = v.variant("kind", [
  /** `fault`: a row of the fault table. Hits the `occurrence`-th call that it concerns, and `times` in a row. */
  v.object({
    kind: v.literal("call"),
    fault: v.string(),
    occurrence: count,
    times: v.optional(count, 1),
    /** Only calls about this task. */
    id: v.optional(taskId),
    /** Goes on when the other faults stop: this task is poisoned. */
    forever: v.optional(v.boolean(), false),
  }),
  /** The process dies before or after the effect of its `call`-th call to the outside, over all runs. */
  v.object({
    kind: v.literal("crash"),
    call: count,
    when: v.picklist(["before", "after"]),
    runner: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  }),
  /** Every process that opens an upload for this task dies there, for good: a crash loop. */
  v.object({ kind: v.literal("crash-loop"), id: taskId }),
  /** The process stands still at its `wakeUp`-th await that takes time, and goes on later. */
  v.object({
    kind: v.literal("freeze"),
    wakeUp: count,
    forMs: wholeMs,
    runner: v.pipe(v.number(), v.integer(), v.minValue(0)),
  }),
]);

/**
 * One simulated world with everything that happens in it, as plain JSON: a story and a commit reproduce a
 * failure. Times are milliseconds from the start.
 */
export const storySchema = v.object({
  seed: v.pipe(v.number(), v.integer(), v.minValue(0)),
  /** Runs are started every 15 minutes per runner, `offsetMs` after the full quarter. */
  runners: v.pipe(
    v.array(
      v.object({
        skewMs: v.number(),
        offsetMs: wholeMs,
        /** Until the faults are over this runner looks for its archive here. */
        place: v.exactOptional(foreignPlace),
      }),
    ),
    v.minLength(1),
    v.maxLength(3),
  ),
  store: v.object({
    createOnce: v.boolean(),
    compareAndSwap: v.boolean(),
    verification: v.picklist(["stored", "read-back"]),
  }),
  queue: v.object({
    receiveWindow: count,
    duplicateFraction: v.pipe(v.number(), v.minValue(0), v.maxValue(0.9)),
    visibilityMs: count,
    longPollMs: v.exactOptional(count),
    /** It is documents in the archive. */
    inStore: v.exactOptional(v.boolean()),
  }),
  platform: v.object({
    throttleAnswer: v.picklist(["IOTDA.021101", "IOTDA.021102", "429"]),
    deleteRemovesSharedFile: v.boolean(),
    /** How long the platform takes to answer a download. */
    firstByteLatency: v.exactOptional(count),
  }),
  settings: v.object({
    deletion: v.picklist(["after-verify", "never"]),
    maxReceives: count,
    taskTimeoutMs: v.optional(count, DEFAULT_TASK_TIMEOUT_MS),
  }),
  archive: v.optional(archiveSchema, { home: "marked", memory: "blank", isSet: false }),
  /** Whether `discover` runs every 10 minutes. */
  discovers: v.boolean(),
  /** How long the faults last; after that runs are clean. */
  faultyMs: wholeMs,
  tasks: v.array(taskSchema),
  happenings: v.array(happeningSchema),
  faults: v.array(faultSchema),
});

type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T;

export type Story = Frozen<v.InferOutput<typeof storySchema>>;
export type StoryTask = Story["tasks"][number];
export type Happening = Story["happenings"][number];
export type StoryFault = Story["faults"][number];

/** The archiver's own defaults. */
export const PLAIN_SETTINGS: Story["settings"] = {
  deletion: "after-verify",
  maxReceives: 20,
  taskTimeoutMs: DEFAULT_TASK_TIMEOUT_MS,
};

/** An archive whose marker its queue will remember. */
export const PLAIN_ARCHIVE: Story["archive"] = { home: "marked", memory: "blank", isSet: false };

/** A story of one Success task and one runner on a capable store in which nothing goes wrong, changed by `changes`. */
export function storyOf(changes: Partial<Story> = {}): Story {
  return {
    seed: 1,
    runners: [{ skewMs: 0, offsetMs: 0 }],
    store: { createOnce: true, compareAndSwap: true, verification: "read-back" },
    queue: { receiveWindow: 1, duplicateFraction: 0, visibilityMs: 120_000 },
    platform: { throttleAnswer: "IOTDA.021101", deleteRemovesSharedFile: true },
    settings: PLAIN_SETTINGS,
    archive: PLAIN_ARCHIVE,
    discovers: false,
    faultyMs: 45 * 60_000,
    tasks: [taskOf("t1")],
    happenings: [],
    faults: [],
    ...changes,
  };
}

/** A finished export whose id was sent once, changed by `changes`. */
export function taskOf(id: string, changes: Partial<Omit<StoryTask, "id">> = {}): StoryTask {
  return { id, status: "Success", endsAs: "Success", processingMs: 60_000, file: "zip", sent: 1, ...changes };
}

/**
 * Reads a story as it was printed.
 * @throws v.ValiError or SyntaxError for what is none.
 */
export function parseStory(text: string): Story {
  return v.parse(storySchema, JSON.parse(text));
}

/** How one task's id ended. */
export type TaskEnd = "deleted" | "kept" | "dead-lettered" | "gone" | "lost-unseen" | "open";

/** What became of a story. */
export interface StoryResult {
  /** Broken promises, each beginning with its number: `I1: …`. */
  readonly violations: readonly string[];
  readonly counts: {
    readonly calls: number;
    readonly runs: number;
    readonly crashes: number;
    readonly virtualMs: number;
    /** Exports that others destroyed before they were archived, and that were not kept silent about. */
    readonly knownLosses: number;
    /** Files replaced between the gate's list and the delete: the window that remains. */
    readonly windowLosses: number;
    /** Planned faults that hit a call. */
    readonly faultsHit: number;
  };
  /** By export task id. */
  readonly ends: Readonly<Record<string, TaskEnd>>;
}
