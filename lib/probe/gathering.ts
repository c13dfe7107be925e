import type { ExportTask } from "../domain/export-task.ts";
import { PlatformError } from "../ports/platform.ts";
import type { FileAnswer, ListPageAnswer } from "../ports/platform-answers.ts";
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
import type { ProbePorts, ProbeRun } from "./ports.ts";

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
  { ports, evidence, signal }: ProbeRun,
  operation: string,
  what: string,
  question: () => Promise<T>,
): Promise<Asked<T>> {
  ports.observe({ kind: "asking", what });
  try {
    return { kind: "told", value: await question() };
  } catch (thrown) {
    signal.throwIfAborted();
    evidence.noteThrottling(operation, thrown);
    return outcomeOf(thrown);
  }
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
