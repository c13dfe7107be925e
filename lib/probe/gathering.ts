import { ArchiverError } from "../domain/errors.ts";
import type { ExportTask } from "../domain/export-task.ts";
import { untilAborted } from "../domain/promises.ts";
import { PlatformError } from "../ports/platform.ts";
import type { FileAnswer, ListPageAnswer } from "../ports/platform-answers.ts";
import { withTimeLimit } from "../run/deadline.ts";
import { type FreshList, freshList } from "../run/platform-list.ts";
import {
  type Asked,
  type CreatedExport,
  type FileQuestion,
  outcomeOf,
  refusalOf,
  type Seen,
  unasked,
} from "./evidence.ts";
import type { Left, ProbePorts, ProbeRun } from "./ports.ts";

/** Longer than all tries and time limits of the requests behind a question take. */
export const QUESTION_LIMIT_MS = 5 * 60_000;

const ENDED_BEFORE = "the probe ended before it could ask";

/** What a probe has seen so far. At every moment it can be read as a whole. */
export class Evidence implements Seen {
  readonly list: FreshList;
  readonly running: ExportTask[] = [];
  readonly throttled: Seen["throttled"][number][] = [];
  readonly files: Record<FileQuestion, Asked<FileAnswer>> = {
    unknown: unasked(ENDED_BEFORE),
    unfinished: unasked(ENDED_BEFORE),
    finished: unasked(ENDED_BEFORE),
  };
  page: Asked<ListPageAnswer> = unasked(ENDED_BEFORE);
  beyondLastOffset: Asked<ListPageAnswer> = unasked(ENDED_BEFORE);
  created: Asked<CreatedExport> = unasked(ENDED_BEFORE);
  unfinishedStatus: string | undefined;
  /** What the probe has made, or may have made. */
  left: Left | undefined;

  constructor(list: FreshList) {
    this.list = list;
    this.noteTasks(list.tasks);
  }

  noteTasks(tasks: readonly ExportTask[]): void {
    this.running.push(...tasks.filter(({ status }) => status === "Processing"));
  }

  noteThrottling(operation: string, thrown: unknown): void {
    const refusal = refusalOf(thrown);
    if (thrown instanceof PlatformError && thrown.throttle !== undefined && refusal !== undefined) {
      this.throttled.push({ operation, refusal });
    }
  }
}

/**
 * Asks one question; what fails is an outcome too.
 * @param what completes "Asking …". @throws only the signal's reason.
 */
export async function ask<T>(
  run: ProbeRun,
  operation: string,
  what: string,
  question: (run: ProbeRun) => Promise<T>,
): Promise<Asked<T>> {
  const { ports, evidence, signal } = run;
  ports.observe({ kind: "asking", what });
  try {
    return { kind: "told", value: await limited(run, QUESTION_LIMIT_MS, question) };
  } catch (thrown) {
    signal.throwIfAborted();
    evidence.noteThrottling(operation, thrown);
    return outcomeOf(thrown);
  }
}

/**
 * Runs a step with a limit of time, which holds whatever the step waits for.
 * @throws ArchiverError `no-answer-in-time` at the limit, the signal's reason, and what the step throws.
 */
export async function limited<
  Run extends { readonly ports: Pick<ProbePorts, "clock">; readonly signal: AbortSignal },
  T,
>(run: Run, limitMs: number, step: (run: Run) => Promise<T>): Promise<T> {
  return await withTimeLimit(
    run.ports.clock,
    limitMs,
    (signal) => untilAborted(step({ ...run, signal }), signal),
    run.signal,
    () => noAnswerInTime(limitMs),
  );
}

function noAnswerInTime(limitMs: number): ArchiverError {
  const minutes = Math.round(limitMs / 60_000);
  return new ArchiverError("no-answer-in-time", `platform or store did not answer within ${minutes} min`, {
    scope: "system",
    retry: "later",
    hint: "Look at the way there: network, firewall, proxy, mounted disk. iotda-archiver doctor says which place is slow.",
  });
}

/** A fresh list, which is evidence too. @throws SystemFailure when the list keeps failing. */
export async function listAgain({ ports, settings, evidence, signal }: ProbeRun): Promise<FreshList> {
  const list = await freshList(ports, settings, signal);
  evidence.noteTasks(list.tasks);
  return list;
}

/** The ports with their lists counted. */
export function countingLists(ports: ProbePorts, counts: { lists: number }): ProbePorts {
  const { platform, answers } = ports;
  return {
    ...ports,
    platform: {
      listExportTasks: (options) => {
        counts.lists += 1;
        return platform.listExportTasks(options);
      },
      createExportTask: (request, options) => platform.createExportTask(request, options),
    },
    answers: {
      askForListPage: (offset, options) => {
        counts.lists += 1;
        return answers.askForListPage(offset, options);
      },
      askForFile: (exportTaskId, options) => answers.askForFile(exportTaskId, options),
    },
  };
}
