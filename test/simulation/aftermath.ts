import { sweep } from "../../lib/catalogue/sweep.ts";
import { ArchiveView } from "./archive-view.ts";
import { CANARY } from "./fault-kinds.ts";
import { whyUnfit } from "./letter-reasons.ts";
import { concerns, type Stage } from "./stage.ts";
import type { TaskEnd } from "./story.ts";

/** A delete relies on a list begun at most this long before its request (I1). */
const LIST_FRESHNESS_MS = 5_000;
/** Still being made, or of an unknown status. */
const UNFINISHED = (status: string) => status !== "Success" && status !== "Failed";

const NO_TASKS: ReadonlySet<string> = new Set();

/** Judges a story once nothing is left to do: what became of each task, and what was lost. */
export class Aftermath {
  readonly #stage: Stage;
  readonly #view: ArchiveView;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#view = new ArchiveView(stage.world);
  }

  /** How each task that ever was on the platform or in the queue has ended. */
  ends(): Readonly<Record<string, TaskEnd>> {
    return Object.fromEntries(this.#ids().map((id) => [id, this.#endOf(id)]));
  }

  /**
   * I3: ids that entered the queue and came to no end. `untouched` leaves out those that others overwrote,
   * held or damaged: such a change after the last visit is noticed by discover alone.
   */
  findUnsettled(which: "untouched" | "all"): readonly string[] {
    const { queue } = this.#stage.world;
    const touched = which === "all" ? new Set<string>() : this.#touchedIds();
    return [...queue.idsEntered].flatMap((id) => {
      const end = touched.has(id) ? "kept" : this.#endOf(id);
      return end === "open" ? [`I3: ${id} entered the queue and came to no end`] : [];
    });
  }

  /** I3, I5: dead letters whose reason is not so, and unreadable bodies that vanished. */
  findUnfitLetters(): readonly string[] {
    const { story } = this.#stage;
    const letters = [undefined, ...this.#ids()].flatMap((id) =>
      id === undefined ? this.#view.looseLetters(undefined) : this.#view.recordsOf(id).letters,
    );
    const unfit = letters.flatMap((letter) => {
      const problem = whyUnfit(letter, this.#stage, this.#view);
      return problem === undefined ? [] : [`${problem} (${letter.exportTaskId}: ${letter.reason})`];
    });
    const wasUnreadable = story.happenings.some(({ kind }) => kind === "send-unreadable");
    const { archive, world } = this.#stage;
    // Its record may lie in a store that came while it was written; the queue has the letter itself.
    const inQueue = archive.wasSwappedUnderRun ? world.queue.deadLetters : [];
    const isLetterThere = [...letters, ...inQueue].some(({ reason }) => reason === "unreadable");
    return wasUnreadable && !isLetterThere ? [...unfit, "I3: an unreadable body left no dead letter"] : unfit;
  }

  /** I1 by the platform's own truth: what our deletes destroyed is in the store, bit for bit. */
  findLosses(): readonly string[] {
    return this.#losses()
      .filter(({ kind }) => kind === "ours")
      .map(
        ({ id, sha256 }) =>
          `I1: our delete took away ${id}'s file ${sha256.slice(0, 8)}, which is not in the store`,
      );
  }

  countLosses(): { knownLosses: number; windowLosses: number } {
    const losses = this.#losses();
    return {
      knownLosses: losses.filter(({ kind }) => kind === "theirs").length,
      windowLosses: losses.filter(({ kind }) => kind === "window").length,
    };
  }

  /** I8: only a runner that died, or an abort that failed, may leave an upload open for `sweep`. */
  findOpenUploads(): readonly string[] {
    const { store, faults } = this.#stage.world;
    const excused = new Set(
      faults.hits
        .filter(({ site }) => site === "store.abort" || site === "store.openUpload")
        .map(({ subject }) => subject),
    );
    const died = new Set(this.#stage.died);
    // One that stood still may open its upload when the task has long been settled by another.
    for (const fault of this.#stage.story.faults) {
      if (fault.kind === "freeze") {
        died.add(`r${fault.runner}-1`);
      }
    }
    return store.openUploads
      .filter(({ key, runner }) => this.#isEndedAfter(key) || (!excused.has(key) && !died.has(runner)))
      .map(({ key, runner }) => `I8: ${runner} left an upload to ${key} open`);
  }

  /** Whether the task's `deleted` record was written after this upload was begun: ending it was part of that. */
  #isEndedAfter(uploadKey: string): boolean {
    const { effects } = this.#stage.world;
    const opened = effects.at("store.openUpload").find(({ subject }) => subject === uploadKey);
    const id = uploadKey.split("/").at(-2) ?? "";
    return effects
      .at("store.putDocument")
      .some(
        ({ atMs, outcome, subject }) =>
          outcome === "done" &&
          concerns(subject, id) &&
          subject.endsWith("/deleted.json") &&
          opened !== undefined &&
          opened.atMs < atMs,
      );
  }

  /** I9: the canary stands for a secret in the text of an error. */
  findSecrets(told: readonly unknown[]): readonly string[] {
    const { plannedFaults, world } = this.#stage;
    if (!plannedFaults.some((name) => name.includes("/untyped/"))) {
      return [];
    }
    const { entries } = world.store;
    const documents = [...entries.keys()].filter((key) => !key.startsWith("exports/"));
    const places: readonly (readonly [string, string])[] = [
      ...documents.map((key) => [key, world.store.textAt(key) ?? ""] as const),
      ["the queue", JSON.stringify([world.queue.messages, world.queue.deadLetters])],
      ["a report or event", JSON.stringify(told)],
    ];
    return places
      .filter(([, text]) => text.includes(CANARY))
      .map(([place]) => `I9: the text of a foreign error is in ${place}`);
  }

  needsSweep(): boolean {
    return this.#stage.world.store.openUploads.length > 0;
  }

  /** I8: a sweep a day later leaves no upload open, and takes away nothing that is recorded. */
  async sweep(): Promise<readonly string[]> {
    const { scope, store } = this.#stage.world;
    const sweeper = this.#stage.world.startRunner("sweep");
    const intact = () =>
      this.#ids().flatMap((id) => this.#view.recordsOf(id).archived.filter((o) => o.isIntact));
    const before = intact().length;
    const { signal } = new AbortController();
    const { store: sweeping, clock, random } = sweeper;
    const readVersion = ({ key }: { readonly key: string }, options: { readonly signal: AbortSignal }) =>
      sweeping.read(key, options);
    const ports = {
      store: Object.assign(sweeping, { readVersion }),
      clock,
      random,
      observe: () => undefined,
    };
    await sweep(ports, { scope }, { signal, removeOrphans: true });
    const open = store.openUploads.map(({ key }) => `I8: after a sweep the upload to ${key} is still open`);
    return intact().length < before ? [...open, "I2: the sweep removed a recorded object"] : open;
  }

  #endOf(id: string): TaskEnd {
    const { platform, queue } = this.#stage.world;
    const { archived, deletedRevisions, letters } = this.#view.recordsOf(id);
    const hasEntered = queue.idsEntered.has(id);
    const listed = this.#view.listed(id);
    if (listed === undefined) {
      if (deletedRevisions.length > 0) {
        return "deleted";
      }
      if (letters.length > 0 || this.#isLetterInQueue(id)) {
        return "dead-lettered";
      }
      // Kept on purpose, and then somebody else removed it: its copy is there.
      const wasKept =
        archived.some(({ isIntact }) => isIntact || this.#stage.rotted.has(id)) &&
        this.#isKeepReasonPossible(id);
      return wasKept ? "gone" : hasEntered ? "open" : "lost-unseen";
    }
    if (UNFINISHED(listed.status) && !hasEntered) {
      return "gone";
    }
    const isArchived = archived.some(
      (object) => object.revision === listed.revision && (object.isIntact || this.#stage.rotted.has(id)),
    );
    if (isArchived && this.#isKeepReasonPossible(id)) {
      return "kept";
    }
    const fileIsGone = listed.status === "Success" && platform.fileOf(id) === undefined;
    const isGivenUp = letters.some(({ revision }) => revision === undefined || revision === listed.revision);
    return isGivenUp || (fileIsGone && letters.length > 0) ? "dead-lettered" : "open";
  }

  /** All there is of a letter whose record went into a store that came while it was written. */
  #isLetterInQueue(id: string): boolean {
    const { archive, world } = this.#stage;
    return archive.wasSwappedUnderRun && world.queue.deadLetters.some(({ body }) => body.includes(`"${id}"`));
  }

  #isKeepReasonPossible(id: string): boolean {
    return (
      this.#stage.story.settings.deletion === "never" ||
      this.#view.isHeld(id) ||
      this.#touchedIds().has(id) ||
      this.#ids().some(
        (other) => other !== id && this.#stage.conditionOf(other) === this.#stage.conditionOf(id),
      )
    );
  }

  get hasTouched(): boolean {
    return this.#touchedIds().size > 0;
  }

  /** Tasks that others overwrote, held or damaged, or worked on in a store that went away. */
  #touchedIds(): ReadonlySet<string> {
    if (this.#stage.archive.wasSwappedUnderRun) {
      // What was recorded in the other store is not recorded.
      return new Set(this.#ids());
    }
    const touched = this.#stage.story.happenings.flatMap((happening) => {
      switch (happening.kind) {
        case "hold":
          return happening.unknown === true ? this.#ids() : [happening.id];
        case "overwrite":
        case "rot":
          return [happening.id];
        case "create":
          return happening.sameConditionAs === undefined ? [] : [happening.sameConditionAs];
        default:
          return [];
      }
    });
    if (touched.length === 0) {
      return NO_TASKS;
    }
    // A create with one condition may overwrite any task that was made with it.
    const conditions = new Set(touched.map((id) => this.#stage.conditionOf(id)));
    return new Set(this.#ids().filter((id) => conditions.has(this.#stage.conditionOf(id))));
  }

  #losses(): readonly { kind: "ours" | "theirs" | "window"; id: string; sha256: string }[] {
    const { platform } = this.#stage.world;
    const kept = this.#view.keptSha256s();
    const rotted = new Set([...this.#stage.rotted].map((id) => this.#stage.conditionOf(id)));
    return platform.history.all.flatMap((file) => {
      const { exportTaskId: id, sha256, endedBy, fromMs, requestedAtMs = 0 } = file;
      if (endedBy === undefined || rotted.has(this.#stage.conditionOf(id)) || kept.has(sha256)) {
        return [];
      }
      const isInWindow = fromMs >= requestedAtMs - LIST_FRESHNESS_MS;
      const kind = endedBy !== "deleted" ? "theirs" : isInWindow ? "window" : "ours";
      return [{ kind, id, sha256 }];
    });
  }

  #ids(): readonly string[] {
    const { platform, queue } = this.#stage.world;
    return [
      ...new Set([
        ...queue.idsEntered,
        ...platform.history.all.map(({ exportTaskId }) => exportTaskId),
        ...platform.list().map(({ task }) => task.exportTaskId),
      ]),
    ];
  }
}
