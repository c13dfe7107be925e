import type { DeadLetterReason } from "../../lib/domain/task-message.ts";
import type { ArchiveView, LetterView } from "./archive-view.ts";
import { faultRow } from "./fault-table.ts";
import { concerns, type Stage } from "./stage.ts";
import type { StoryTask } from "./story.ts";

/** What a story says of the task a letter is about. */
interface Subject {
  readonly id: string;
  readonly task: StoryTask | undefined;
  readonly stage: Stage;
  readonly view: ArchiveView;
}

/** Crashes that use up the receives of a message, and those with it alone. */
const DEATHS_ALONE = 2;

/** Whether the world gave cause for this reason (I3: fitting; I5: no healthy task is given up). */
const IS_FITTING: Readonly<Record<DeadLetterReason, (subject: Subject) => boolean>> = {
  unreadable: () => false,
  "export-failed": hasFailed,
  "source-gone": (subject) => {
    const { id, stage, view } = subject;
    const { platform } = stage.world;
    const had = platform.history.all.filter(({ exportTaskId }) => exportTaskId === id);
    // A message may name the revision of an export that failed before it was made again: that one is gone, too.
    const isLost =
      had.length === 0 || hasFailed(subject) || had.some(({ sha256 }) => !view.isKept(id, sha256));
    return !platform.has(id) && isLost;
  },
  "never-finished": ({ task }) => task !== undefined && task.status !== "Success" && task.status !== "Failed",
  "not-accepted": ({ id, stage, task }) =>
    (task !== undefined && task.file !== "zip") ||
    countHits(stage, id, (kind) => kind.startsWith("malformed") || kind.startsWith("flipped")) >= 2,
  "too-large": ({ id, stage }) => countHits(stage, id, (kind) => kind === "too large") > 0,
  "too-large-for-run": (subject) => failsForever(subject),
  "max-attempts": (subject) => failsForever(subject),
  "crash-loop": ({ id, stage }) => {
    const { faults, settings } = stage.story;
    // Repeated and lost receives count as well, so a task that does kill its runner may be given up sooner.
    const isKiller = faults.some((fault) => fault.kind === "crash-loop" && fault.id === id);
    return countDeaths(stage) >= DEATHS_ALONE + (isKiller ? 0 : settings.maxReceives - 1);
  },
};

/** Why a dead letter should not be; `undefined` when its reason is the truth. */
export function whyUnfit(letter: LetterView, stage: Stage, view: ArchiveView): string | undefined {
  const { exportTaskId: id, reason } = letter;
  if (id === undefined) {
    return reason === "unreadable" ? undefined : "I3: a letter about no task";
  }
  if (!Object.hasOwn(IS_FITTING, reason)) {
    return "I3: a letter with an unknown reason";
  }
  const task = stage.story.tasks.find((told) => told.id === id);
  return IS_FITTING[reason as DeadLetterReason]({ id, task, stage, view })
    ? undefined
    : "I5: a letter without cause";
}

function hasFailed({ task }: Subject): boolean {
  return task?.status === "Failed" || task?.endsAs === "Failed";
}

/** A task that no try can bring home: poisoned for good, or its file was taken away under it. */
function failsForever({ id, stage }: Subject): boolean {
  const { platform } = stage.world;
  const isPoisoned = stage.story.faults.some(
    (fault) => fault.kind === "call" && fault.forever && (fault.id === undefined || fault.id === id),
  );
  return isPoisoned || (platform.has(id) && platform.fileOf(id) === undefined);
}

function countHits(stage: Stage, id: string, isKind: (kind: string) => boolean): number {
  const { plannedFaults, world } = stage;
  const sites = new Set(
    plannedFaults
      .map(faultRow)
      .filter(({ kind }) => isKind(kind))
      .map(({ site }) => site),
  );
  return world.faults.hits.filter(({ site, subject }) => sites.has(site) && concerns(subject, id)).length;
}

function countDeaths(stage: Stage): number {
  return stage.died.length + stage.story.faults.filter(({ kind }) => kind === "freeze").length;
}
