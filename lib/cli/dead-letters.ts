import { systemClock, systemRandom } from "../config/system.ts";
import type { Failure } from "../domain/errors.ts";
import type { HeldDeadLetter } from "../ports/task-queue.ts";
import { isNamedBy, taskOfLetter } from "../queue/message-codec.ts";
import { noteDismissal } from "../records/dismissals.ts";
import { count, formatDuration } from "./format.ts";
import { operatorName } from "./operator.ts";
import { type Line, lines, type Result } from "./output.ts";
import { EXIT } from "./process.ts";
import { type CommonOptions, withLetters, withLettersOfArchive } from "./session.ts";

type Letters = readonly HeldDeadLetter[];
type Ids = readonly string[] | "all";

interface ListOptions extends CommonOptions {
  readonly limit: number;
}

/** `dead-letters list`: what was given up, and why. */
export async function listDeadLettersCommand(options: ListOptions): Promise<Result> {
  const { limit } = options;
  // One more than is shown tells whether there are more.
  const found = await withLetters(options, ({ queue, signal }) =>
    queue.listDeadLetters({ signal, limit: limit + 1 }),
  );
  const letters = found.slice(0, limit);
  const more = found.length > limit;
  return {
    document: { deadLetters: letters, more },
    lines: deadLetterLines(letters, systemClock.wallMs(), more),
    exitCode: EXIT.done,
  };
}

/** `dead-letters redrive`: moves letters back into the task queue, where they start afresh. */
export async function redriveCommand(ids: Ids, options: CommonOptions): Promise<Result> {
  const moved = await withLetters(options, ({ queue, signal }) => queue.redrive(ids, { signal }));
  const unknown = unknownLetters(ids, moved);
  return {
    document: { redriven: moved, ...unknown },
    lines: redriveLines(ids, moved),
    exitCode: unknown === undefined ? EXIT.done : EXIT.failed,
  };
}

interface DismissOptions extends CommonOptions {
  readonly reason: string;
  readonly by?: string;
}

/**
 * `dead-letters dismiss`: notes in the store who dismissed a letter and why, then removes the letter. It deletes no
 * export task and no copy.
 */
export async function dismissCommand(ids: readonly string[], options: DismissOptions): Promise<Result> {
  const { reason, by = operatorName() } = options;
  const dismissed = await withLettersOfArchive(options, async ({ queue, store, signal }) => {
    const note = async (letter: HeldDeadLetter) => {
      const exportTaskId = taskOfLetter(letter);
      const noted = { dismissedAtMs: systemClock.wallMs(), nonceHex: systemRandom.hex(4) };
      await noteDismissal(store, { letter, exportTaskId, reason, by, ...noted }, { signal });
    };
    return await queue.dismiss(ids, note, { signal });
  });
  const unknown = unknownLetters(ids, dismissed);
  return {
    document: { dismissed, ...unknown },
    lines: dismissLines(ids, dismissed),
    exitCode: unknown === undefined ? EXIT.done : EXIT.failed,
  };
}

/** Two lines a letter, which fit into any window. @param areMore than are shown. */
export function deadLetterLines(letters: Letters, nowMs: number, areMore = false): readonly Line[] {
  if (letters.length === 0) {
    return ["There are no dead letters."];
  }
  return lines(
    letters.flatMap(({ id, body, reason, attempts, detail, deadLetteredAtMs }) => {
      const when = deadLetteredAtMs === undefined ? "" : `, ${formatDuration(nowMs - deadLetteredAtMs)} ago`;
      const tries = attempts === 0 ? "" : `, after ${count(attempts, "failed attempt")}`;
      return [`${id}  ${subjectOf(body)}  ${reason}${tries}${when}`, `    ${detail}`];
    }),
    areMore && "There are more: --limit <n> shows up to n.",
    "",
    "Name a letter by its own id, which begins its line, or by the id of its export task:",
    "  iotda-archiver dead-letters redrive <id …>                  to try again from the start (--all: every letter)",
    "  iotda-archiver dead-letters dismiss <id …> --reason <text>  when it needs no further work",
  );
}

/** A line for each letter, and one for each id that no letter has. */
export function redriveLines(ids: Ids, moved: Letters): readonly Line[] {
  const shown = endedLines("Moved back", ids, moved);
  return shown.length === 0 ? ["There are no dead letters."] : shown;
}

/** The same for `dead-letters dismiss`. */
export function dismissLines(ids: Ids, dismissed: Letters): readonly Line[] {
  return endedLines("Dismissed", ids, dismissed);
}

function endedLines(what: string, ids: Ids, found: Letters): readonly Line[] {
  return [
    ...found.map(({ id, body }) => `${what} ${id}: ${subjectOf(body)}`),
    ...unknownIds(ids, found).map(
      (id) => `No dead letter has the id ${id}; "iotda-archiver dead-letters list" shows them`,
    ),
  ];
}

/** Those of the ids that are neither a found letter's nor the id of its export task. */
export function unknownIds(ids: Ids, found: Letters): readonly string[] {
  return ids === "all" ? [] : ids.filter((id) => !found.some((letter) => isNamedBy(new Set([id]), letter)));
}

/** What a document says of ids that no letter has; `undefined` where there are none. */
function unknownLetters(
  ids: Ids,
  found: Letters,
): { readonly unknown: readonly string[]; readonly failure: Failure } | undefined {
  const unknown = unknownIds(ids, found);
  const failure = {
    code: "no-such-letter",
    message: `no dead letter has the id ${unknown.join(", ")}`,
    hint: "iotda-archiver dead-letters list shows them.",
  };
  return unknown.length === 0 ? undefined : { unknown, failure };
}

const EXCERPT_CHARACTERS = 40;

/**
 * The task that a letter is about, or else the beginning of its body. Any program may have sent that, so it is quoted,
 * and nothing in it passes for words of this program.
 */
function subjectOf(body: string): string {
  const excerpt = body.length > EXCERPT_CHARACTERS ? `${body.slice(0, EXCERPT_CHARACTERS)}…` : body;
  return taskOfLetter({ body }) ?? JSON.stringify(excerpt);
}
