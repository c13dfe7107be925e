import { PROOF_MAX_AGE_MS } from "../../lib/archive/proofs.ts";
import { ArchiverError } from "../../lib/domain/errors.ts";
import { HOLDS_FOLDER, holdKey } from "../../lib/domain/key-layout.ts";
import type { OddItem } from "../../lib/ports/platform.ts";
import { type ExportFile, exportFile, fileOf } from "../world/export-file.ts";
import type { PlannedFault } from "../world/faults.ts";
import { DEFAULT_PLATFORM_SETTINGS } from "../world/platform-settings.ts";
import { World } from "../world/world.ts";
import { faultRow } from "./fault-table.ts";
import type { StandingHold } from "./held-deletes.ts";
import type { Happening, Story, StoryFault, StoryTask } from "./story.ts";
import { StoryArchive } from "./story-archive.ts";

const DAY_MS = 24 * 3_600_000;
/** Of two runners whose clocks are so wrong that they only just work. */
const MAX_CLOCK_DIFFERENCE_MS = 10 * 60_000;
const UNREADABLE_BODY = '{"exportTaskId": 17}';
const NO_ZIP = fileOf(new TextEncoder().encode("a text file ".repeat(100)));
/** A complete ZIP without any member. */
const EMPTY_ZIP = fileOf(new Uint8Array([0x50, 0x4b, 5, 6, ...new Array<number>(18).fill(0)]));

/** The world of a story, and what others do in it. Runs are started elsewhere. */
export class Stage {
  readonly story: Story;
  readonly world: World;
  /** Whether the faults still strike; those that go on forever do anyway. */
  faultsAreOn = true;
  /** Names of the processes that died. */
  readonly died: string[] = [];
  /** Ids whose stored objects somebody damaged or removed. */
  readonly rotted = new Set<string>();
  readonly holds: StandingHold[] = [];
  readonly archive: StoryArchive;
  readonly #conditions = new Map<string, Readonly<Record<string, unknown>>>();

  constructor(story: Story) {
    this.story = story;
    this.world = new World({
      seed: story.seed,
      store: story.store,
      queue: story.queue,
      platform: story.platform,
      maxCalls: 50_000,
      clock: { maxRunMs: 40 * DAY_MS },
    });
    this.archive = new StoryArchive(story, this.world);
    for (const task of story.tasks) {
      this.#add(task);
    }
    this.world.faults.plant(...story.faults.flatMap((fault) => this.#planned(fault)));
    this.world.faults.plant(...story.happenings.flatMap((happening) => this.#outage(happening)));
  }

  /** The condition a task was made with; tasks of one condition share a file. */
  conditionOf(id: string): string {
    return JSON.stringify(this.#conditions.get(id) ?? { task_id: id });
  }

  /** The rows of the fault table that this story uses. */
  get plannedFaults(): readonly string[] {
    return [
      ...this.story.faults.flatMap((fault) => (fault.kind === "call" ? [fault.fault] : [])),
      ...this.story.happenings.flatMap((happening) => (happening.kind === "outage" ? happening.faults : [])),
    ];
  }

  /** From now on nothing goes wrong any more but what goes on forever. */
  endFaults(): void {
    this.faultsAreOn = false;
    // Each message handed out twice is sent on twice: for days this would multiply without bound.
    this.world.queue.settings.duplicateFraction = 0;
    this.world.platform.distorted.clear();
    this.endSlowConnections();
    this.archive.endSwap();
  }

  /** Does what others do. `runsAreLive` keeps apart what must not fall between a gate and its delete. */
  act(happening: Happening, runsAreLive: boolean): void {
    const { platform, queue } = this.world;
    switch (happening.kind) {
      case "create":
        this.#create(happening);
        return;
      case "overwrite":
        this.#overwrite(happening.id, happening.processingMs);
        return;
      case "evict":
        this.#evict(happening.id);
        return;
      case "remove":
        platform.removeTask(happening.id);
        return;
      case "hold":
        this.#hold(happening);
        return;
      case "redrive":
        queue.redrive("all");
        return;
      case "send":
        queue.send(happening.id);
        return;
      case "send-unreadable":
        queue.send(UNREADABLE_BODY);
        return;
      case "outage":
        return;
      case "rot":
        if (!runsAreLive) {
          this.#rot(happening.id, happening.how);
        }
        return;
      case "odd-item":
        platform.distorted.set(happening.id, this.#oddItem(happening));
        return;
      case "swap":
        this.archive.swap(happening, runsAreLive);
        return;
      case "slow-connections":
        platform.settings.connectLatency = { minMs: happening.minMs, maxMs: happening.maxMs };
    }
  }

  /** Lists show the task as it is again. */
  endOddItem(id: string): void {
    this.world.platform.distorted.delete(id);
  }

  endSlowConnections(): void {
    this.world.platform.settings.connectLatency = DEFAULT_PLATFORM_SETTINGS.connectLatency;
  }

  /** Somebody lifts a hold. */
  releaseHold(happening: Extract<Happening, { kind: "hold" }>): void {
    this.world.store.removeObject(keyOfHold(happening));
    const id = happening.unknown === true ? undefined : happening.id;
    for (const hold of this.holds.filter((standing) => standing.id === id)) {
      hold.toMs = Math.min(hold.toMs, this.world.clock.monotonicMs());
    }
  }

  #hold(happening: Extract<Happening, { kind: "hold" }>): void {
    const { clock, store } = this.world;
    store.plantObject(keyOfHold(happening), new TextEncoder().encode("{}"));
    const id = happening.unknown === true ? undefined : happening.id;
    this.holds.push({ id, fromMs: clock.monotonicMs(), toMs: Number.POSITIVE_INFINITY });
  }

  #add(task: StoryTask): void {
    const { id, sent, status, endsAs, processingMs } = task;
    const resourceCondition = this.#newCondition(id, task.sameConditionAs);
    const file = this.#fileOf(task);
    this.world.platform.addTask({
      exportTaskId: id,
      status,
      endsAs,
      processingMs,
      resourceCondition,
      ...(file === undefined ? {} : { file }),
    });
    for (let message = 0; message < sent; message += 1) {
      this.world.queue.send(id);
    }
  }

  #newCondition(id: string, sameConditionAs: string | undefined): Readonly<Record<string, unknown>> {
    const shared = sameConditionAs === undefined ? undefined : this.#conditions.get(sameConditionAs);
    const condition = shared ?? { task_id: id };
    this.#conditions.set(id, condition);
    return condition;
  }

  #fileOf({ file }: StoryTask): ExportFile | undefined {
    switch (file) {
      case "zip":
        return undefined;
      case "no-zip":
        return NO_ZIP;
      case "empty":
        return EMPTY_ZIP;
    }
  }

  #create({ id, processingMs, sameConditionAs }: Extract<Happening, { kind: "create" }>): void {
    if (!this.#conditions.has(id)) {
      const resourceCondition = this.#newCondition(id, sameConditionAs);
      this.world.platform.addTask({
        exportTaskId: id,
        status: "Processing",
        processingMs,
        resourceCondition,
      });
    }
  }

  #overwrite(id: string, processingMs: number): void {
    const { platform } = this.world;
    const resourceCondition = this.#conditions.get(id);
    if (resourceCondition === undefined || !platform.has(id)) {
      return;
    }
    platform.settings.sameCondition = "keeps-id";
    try {
      platform.create({ resourceCondition }, processingMs);
    } catch (error) {
      // Five exports are being made already: the platform refuses, and nothing happens.
      if (!(error instanceof ArchiverError && error.code === "platform-rejected-request")) {
        throw error;
      }
    }
  }

  /** Fifty tasks would only make the world slow: the limit is where the platform stands now. */
  #evict(id: string): void {
    const { platform } = this.world;
    const { taskLimit } = platform.settings;
    platform.settings.taskLimit = Math.max(1, platform.list().length);
    this.#create({ kind: "create", atMs: 0, id, processingMs: 10_000 });
    platform.settings.taskLimit = taskLimit;
  }

  #oddItem({ id, shows }: Extract<Happening, { kind: "odd-item" }>): Omit<OddItem, "index"> {
    const resourceCondition = this.#conditions.get(id);
    // A task with an unreadable condition has no siblings: that is a window, and not drawn for.
    const isConditionShown = shows === "condition" || shows === "both" || this.#isShared(id);
    return {
      field: "export_count",
      problem: "must be a number",
      id: shows === "id" || shows === "both" ? id : undefined,
      condition:
        isConditionShown && resourceCondition !== undefined
          ? { resourceType: "BatchTask", resourceCondition, appType: "GLOBAL", appId: undefined }
          : undefined,
    };
  }

  #isShared(id: string): boolean {
    const condition = this.conditionOf(id);
    return [...this.#conditions.keys()].some(
      (other) => other !== id && this.conditionOf(other) === condition,
    );
  }

  #rot(id: string, how: "removed" | "damaged" | "silently"): void {
    const { store } = this.world;
    const [key] = store.keysUnder("exports/").filter((found) => found.includes(`/${id}/`));
    if (key === undefined) {
      return;
    }
    if (how === "silently") {
      this.#rotSilently(id, key);
      return;
    }
    this.rotted.add(id);
    if (how === "removed") {
      store.removeObject(key);
    } else {
      store.plantObject(key, exportFile(9_999).bytes.subarray(0, 700));
    }
  }

  /** Only a copy that is not yet all that is left, and whose next reading can still save it. */
  #rotSilently(id: string, key: string): void {
    const { clock, platform, store } = this.world;
    const isAnyFileGone = platform.history.all.some(
      ({ exportTaskId, endedBy }) => exportTaskId === id && endedBy !== undefined,
    );
    const unreadForMs = clock.monotonicMs() - (store.lastReadAtMs(key) ?? 0);
    const isInWindow = unreadForMs < PROOF_MAX_AGE_MS + MAX_CLOCK_DIFFERENCE_MS;
    const isScrubbed = store.settings.verification === "stored";
    if (!this.#isShared(id) && !isAnyFileGone && !isInWindow && !isScrubbed) {
      store.rotObject(key);
    }
  }

  #planned(fault: StoryFault): readonly PlannedFault[] {
    switch (fault.kind) {
      case "call": {
        const { id, forever, occurrence } = fault;
        const row = faultRow(fault.fault);
        const times = forever ? Number.POSITIVE_INFINITY : fault.times;
        const match = ({ subject }: { subject: string }) =>
          (forever || this.faultsAreOn) && (id === undefined || concerns(subject, id));
        return [{ site: row.site, occurrence, times, match, ...row.fault() }];
      }
      case "crash": {
        const { call, runner, when } = fault;
        const prefix = runner === undefined ? "" : `r${runner}-`;
        const match = (made: { runner: string }) => this.faultsAreOn && made.runner.startsWith(prefix);
        return [{ site: "any", occurrence: call, match, form: "crash", when }];
      }
      case "crash-loop": {
        const match = ({ subject }: { subject: string }) => concerns(subject, fault.id);
        const times = Number.POSITIVE_INFINITY;
        return [{ site: "store.openUpload", match, times, form: "crash", when: "after" }];
      }
      case "freeze":
        // Planned with the process it is about.
        return [];
    }
  }

  #outage(happening: Happening): readonly PlannedFault[] {
    if (happening.kind !== "outage") {
      return [];
    }
    const match = () => {
      const nowMs = this.world.clock.monotonicMs();
      return this.faultsAreOn && nowMs >= happening.atMs && nowMs < happening.untilMs;
    };
    return happening.faults.map((name) => {
      const row = faultRow(name);
      return { site: row.site, times: Number.POSITIVE_INFINITY, match, ...row.fault() };
    });
  }
}

function keyOfHold({ id, unknown }: Extract<Happening, { kind: "hold" }>): string {
  return unknown === true ? `${HOLDS_FOLDER}${id}.yaml` : holdKey(id);
}

/** Whether a call's subject, an id or a key, is about this task. */
export function concerns(subject: string, id: string): boolean {
  return subject === id || subject.startsWith(`${id} `) || subject.includes(`/${id}/`);
}
