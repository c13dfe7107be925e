import { ArchiverError } from "../domain/errors.ts";
import { type Slot, SlotLost } from "../pacing/pacer.ts";
import { PlatformError } from "../ports/platform.ts";
import type { FileAnswer } from "../ports/platform-answers.ts";
import { type FreshList, listedAs, taskIn } from "../run/platform-list.ts";
import { type Asked, type FileQuestion, outcomeOf, unasked } from "./evidence.ts";
import { limited, listAgain, QUESTION_LIMIT_MS } from "./gathering.ts";
import type { ProbeRun } from "./ports.ts";
import { BEGINNING_BYTES } from "./read-file.ts";

/** Downloads of one probe, whatever comes of them. */
export const MAX_DOWNLOADS = 3;
/** An id as the platform would take it. The platform makes its own ids, of hex digits. */
export const UNKNOWN_TASK_ID = "probe-asks-for-no-export-task";

/** Runs that drain a full platform take slots too; each of them gets its turn long before. */
const SLOT_LIMIT_MS = 10 * 60_000;
/** How long the probe's own export is waited for, where the platform has no other finished one. */
const EXPORT_LIMIT_MS = 2 * 60_000;
const LONGEST_POLL_MS = 5_000;

const NO_TARGET: Readonly<Record<FileQuestion, string>> = {
  unknown: "the list shows the id that was meant to belong to no task",
  unfinished: "no task was listed that is being made or has failed",
  finished: "no finished export was listed",
};
const SUBJECTS: Readonly<Record<FileQuestion, string>> = {
  unknown: "for the file of an id of no task",
  unfinished: "for the file of a task that has none",
  finished: "for the beginning of a finished export",
};

/** What can be asked now: the question and the task it is about. */
interface Target {
  readonly question: FileQuestion;
  readonly exportTaskId: string;
  /** As the list shows the task. */
  readonly status: string | undefined;
}

/**
 * Asks for up to three files, each in a download slot that all runners share. A question that met a limit is asked again
 * behind the others. @throws only the signal's reason.
 */
export async function askForFiles(run: ProbeRun): Promise<void> {
  const { evidence, requests, signal } = run;
  const { files } = evidence;
  // What is being made may be finished in a moment; a file that is there stays.
  const open: FileQuestion[] = ["unfinished", "unknown", "finished"];
  const inTime = <T>(step: (limitedRun: ProbeRun, open: readonly FileQuestion[]) => Promise<T>) =>
    limited(run, SLOT_LIMIT_MS + QUESTION_LIMIT_MS, (limitedRun) => step(limitedRun, open));
  try {
    while (open.length > 0 && requests.downloads < MAX_DOWNLOADS && (await inTime(isAnythingToAsk))) {
      const asked = await inTime(askInSlot);
      if (asked === "nothing-to-ask") {
        continue;
      }
      files[asked.question] = asked.answer;
      open.splice(open.indexOf(asked.question), 1);
      if (asked.isThrottled) {
        open.push(asked.question);
      }
    }
  } catch (thrown) {
    signal.throwIfAborted();
    for (const question of open) {
      files[question] = outcomeOf(thrown);
    }
    return;
  }
  for (const question of open.filter((one) => files[one].kind === "not-asked")) {
    const isUsedUp = requests.downloads >= MAX_DOWNLOADS;
    files[question] = unasked(isUsedUp ? "the three downloads were used up" : NO_TARGET[question]);
  }
}

/** What one download was about, and what came of it. */
interface AskedInSlot {
  readonly question: FileQuestion;
  readonly answer: Asked<FileAnswer>;
  readonly isThrottled: boolean;
}

/** One download in one slot. @throws what the pacer and the list throw. */
async function askInSlot(
  run: ProbeRun,
  open: readonly FileQuestion[],
): Promise<AskedInSlot | "nothing-to-ask"> {
  const { pacer, ports, signal } = run;
  const onWaiting = (startsAtMs: number) =>
    ports.observe({ kind: "waiting-for-slot", waitMs: startsAtMs - pacer.nowMs() });
  for (let line: Pick<Slot, "take"> = pacer; ; ) {
    const slot = await line.take(pacer.nowMs() + SLOT_LIMIT_MS, { signal }, { onWaiting });
    if (slot === "none") {
      throw noSlot();
    }
    const asked = await askIn(slot, run, open);
    if (asked !== "slot-lost") {
      slot.release();
      return asked;
    }
    line = slot;
  }
}

/** The list is asked for again when the slot has come: what can be asked may have changed in the meantime. */
async function askIn(
  slot: Slot,
  run: ProbeRun,
  open: readonly FileQuestion[],
): Promise<AskedInSlot | "nothing-to-ask" | "slot-lost"> {
  const { pacer, ports, signal, evidence, requests } = run;
  const target = targetIn(await listAgain(run), open, ownExportOf(run));
  if (target === undefined) {
    return "nothing-to-ask";
  }
  const { question, exportTaskId, status } = target;
  ports.observe({ kind: "asking", what: SUBJECTS[question] });
  const beforeRequest = async () => {
    await slot.ready({ signal });
    requests.downloads += 1;
    evidence.unfinishedStatus = question === "unfinished" ? status : evidence.unfinishedStatus;
  };
  try {
    const options = { signal, beforeRequest, maxBytes: BEGINNING_BYTES };
    const value = await ports.answers.askForFile(exportTaskId, options);
    pacer.noteServed();
    return { question, answer: { kind: "told", value }, isThrottled: false };
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof SlotLost) {
      return "slot-lost";
    }
    evidence.noteThrottling("ShowExportTask", thrown);
    const throttle = thrown instanceof PlatformError ? thrown.throttle : undefined;
    if (throttle !== undefined) {
      await pacer.penalize(throttle, { signal });
    }
    return { question, answer: outcomeOf(thrown), isThrottled: throttle !== undefined };
  }
}

/** The first open question that this list has a task for. */
function targetIn(
  list: FreshList,
  open: readonly FileQuestion[],
  ownId: string | undefined,
): Target | undefined {
  return open.map((question) => targetOf(question, list, ownId)).find((target) => target !== undefined);
}

function targetOf(question: FileQuestion, list: FreshList, ownId: string | undefined): Target | undefined {
  if (question === "unknown") {
    const isFree = listedAs(list, UNKNOWN_TASK_ID) === "absent";
    return isFree ? { question, exportTaskId: UNKNOWN_TASK_ID, status: undefined } : undefined;
  }
  const statuses = question === "finished" ? ["Success"] : ["Processing", "Failed"];
  // The probe's own export first; of the others the newest, which the platform evicts last.
  const own = list.tasks.filter(({ exportTaskId }) => exportTaskId === ownId);
  const task = [...own, ...list.tasks].find(({ status }) => statuses.includes(status));
  return task && { question, exportTaskId: task.exportTaskId, status: task.status };
}

/** Waits for the probe's own export, where nothing else is left to ask. No slot is claimed meanwhile. */
async function isAnythingToAsk(run: ProbeRun, open: readonly FileQuestion[]): Promise<boolean> {
  const { ports, settings, signal } = run;
  const ownId = ownExportOf(run);
  const untilMs = ports.clock.monotonicMs() + EXPORT_LIMIT_MS;
  for (let isFirst = true; ; isFirst = false) {
    const list = await listAgain(run);
    if (targetIn(list, open, ownId) !== undefined) {
      return true;
    }
    const isMade = ownId !== undefined && taskIn(list, ownId)?.status === "Processing";
    if (!(isMade && open.includes("finished") && ports.clock.monotonicMs() < untilMs)) {
      return false;
    }
    if (isFirst) {
      ports.observe({ kind: "waiting-for-export", exportTaskId: ownId });
    }
    await ports.clock.sleep(Math.min(LONGEST_POLL_MS, settings.downloadIntervalMs / 4), signal);
  }
}

function ownExportOf({ evidence: { left } }: ProbeRun): string | undefined {
  return left?.kind === "export" ? left.exportTaskId : undefined;
}

function noSlot(): ArchiverError {
  return new ArchiverError("no-slot", "no download slot came free within 10 min", {
    scope: "system",
    retry: "later",
    hint: "Run the probe again when no archive run is under way.",
  });
}
