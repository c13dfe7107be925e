import type { ExportFilter, ExportState } from "../catalogue/found-export.ts";
import { type FoundExports, findExports } from "../catalogue/reading.ts";
import { type ExportStory, tellStory } from "../catalogue/story.ts";
import { systemClock } from "../config/system.ts";
import { csvLines, listLines, noteLines } from "./finding-lines.ts";
import { showingInventory } from "./inventory.ts";
import { type Line, operatorLines, type Result } from "./output.ts";
import { EXIT } from "./process.ts";
import { type CommonOptions, withArchive } from "./session.ts";
import { storyLines } from "./story-lines.ts";

/** More rows than this are read by programs, not by people. */
const DEFAULT_LIMIT = 100;
const DEFAULT_LIMIT_FOR_PROGRAMS = 10_000;

interface FindOptions extends CommonOptions {
  readonly limit?: number;
  readonly json?: true;
}

export interface ListOptions extends FindOptions {
  /** Epoch milliseconds, as `until`. */
  readonly since?: number;
  readonly until?: number;
  readonly batchTask?: string;
  readonly app?: string;
  readonly state?: ExportState;
  readonly csv?: true;
}

/** `list`: archived exports, the one archived last first. */
export async function listCommand(options: ListOptions): Promise<Result> {
  const { since, until, batchTask, app, state, csv = false } = options;
  const filter = { sinceMs: since, untilMs: until, batchTaskId: batchTask, appId: app, state };
  const found = await lookUp(options, filter, csv || options.json === true);
  if (!csv) {
    return resultOf(found, filter);
  }
  const say = await operatorLines();
  for (const note of noteLines(found, systemClock.wallMs())) {
    say(typeof note === "string" ? note : note.text);
  }
  return { document: found, lines: csvLines(found.exports), exitCode: EXIT.done };
}

/** `find`: archived exports by any part of an id, of the condition or of the key. */
export async function findCommand(text: string, options: FindOptions): Promise<Result> {
  const filter = { text };
  return resultOf(await lookUp(options, filter, options.json === true), filter);
}

function resultOf(found: FoundExports, filter: ExportFilter): Result {
  const lines: readonly Line[] = listLines(found, filter, systemClock.wallMs());
  return { document: found, lines, exitCode: EXIT.done };
}

async function lookUp(
  options: FindOptions,
  filter: ExportFilter,
  forProgram: boolean,
): Promise<FoundExports> {
  const limit = options.limit ?? (forProgram ? DEFAULT_LIMIT_FOR_PROGRAMS : DEFAULT_LIMIT);
  return await showingInventory((observe) =>
    withArchive(options, ({ store, scope, signal }) =>
      findExports({ store, clock: systemClock, observe }, scope, filter, { signal, limit }),
    ),
  );
}

/** `show`: all that is known of one export task. */
export async function showCommand(exportTaskId: string, options: CommonOptions): Promise<Result> {
  const story: ExportStory = await withArchive(options, ({ store, scope, signal }) =>
    tellStory({ store, clock: systemClock }, scope, exportTaskId, { signal }),
  );
  return { document: story, lines: storyLines(story), exitCode: EXIT.done };
}
