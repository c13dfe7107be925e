import type { Failure } from "../domain/errors.ts";
import type { HeldDeadLetter } from "../ports/task-queue.ts";
import { isNamedBy, taskOfLetter } from "../queue/message-codec.ts";
import { count, formatDuration } from "./format.ts";

const EXCERPT_CHARACTERS = 40;

/** `dead-letters list` for a person: two lines a letter, which fit into any window. @param areMore than are shown. */
export function deadLetterLines(
  letters: readonly HeldDeadLetter[],
  nowMs: number,
  areMore = false,
): readonly string[] {
  if (letters.length === 0) {
    return ["There are no dead letters."];
  }
  return [
    ...letters.flatMap(({ id, body, reason, attempts, detail, deadLetteredAtMs }) => {
      const when = deadLetteredAtMs === undefined ? "" : `, ${formatDuration(nowMs - deadLetteredAtMs)} ago`;
      const tries = attempts === 0 ? "" : `, after ${count(attempts, "failed attempt")}`;
      return [`${id}  ${subjectOf(body)}  ${reason}${tries}${when}`, `    ${detail}`];
    }),
    ...(areMore ? ["There are more: --limit <n> shows up to n."] : []),
    "",
    "Name letters by their export task's id, or by their own, which stands first:",
    "  iotda-archiver dead-letters redrive <id …>                  to be tried afresh (--all: every letter)",
    "  iotda-archiver dead-letters dismiss <id …> --reason <text>  when nothing has to be done any more",
  ];
}

/** `dead-letters redrive` for a person: a line a letter, and one for each id that no letter has. */
export function redriveLines(
  ids: readonly string[] | "all",
  moved: readonly HeldDeadLetter[],
): readonly string[] {
  const lines = [
    ...moved.map(({ id, body }) => `moved back ${id}: ${subjectOf(body)}`),
    ...unknownLines(ids, moved),
  ];
  return lines.length === 0 ? ["There are no dead letters."] : lines;
}

/** `dead-letters dismiss` for a person, in the same way. */
export function dismissLines(
  ids: readonly string[],
  dismissed: readonly HeldDeadLetter[],
): readonly string[] {
  return [
    ...dismissed.map(({ id, body }) => `dismissed ${id}: ${subjectOf(body)}`),
    ...unknownLines(ids, dismissed),
  ];
}

/** Those of the ids that are neither a found letter's nor the id of its export task. */
export function unknownIds(
  ids: readonly string[] | "all",
  found: readonly HeldDeadLetter[],
): readonly string[] {
  return ids === "all" ? [] : ids.filter((id) => !found.some((letter) => isNamedBy(new Set([id]), letter)));
}

/** What a document says of ids that no letter has; `undefined` where there are none. */
export function unknownLetters(
  ids: readonly string[] | "all",
  found: readonly HeldDeadLetter[],
): { readonly unknown: readonly string[]; readonly failure: Failure } | undefined {
  const unknown = unknownIds(ids, found);
  const failure = {
    code: "no-such-letter",
    message: `no dead letter has the id ${unknown.join(", ")}`,
    hint: "iotda-archiver dead-letters list shows them.",
  };
  return unknown.length === 0 ? undefined : { unknown, failure };
}

function unknownLines(ids: readonly string[] | "all", found: readonly HeldDeadLetter[]): readonly string[] {
  return unknownIds(ids, found).map(
    (id) => `no dead letter has the id ${id}; "iotda-archiver dead-letters list" shows them`,
  );
}

/** The task a letter is about, or the beginning of a body that is not a task's: anybody may have sent it. */
function subjectOf(body: string): string {
  return taskOfLetter({ body }) ?? excerpt(body);
}

/** Quoted, so that nothing in it can pass for words of this program. */
function excerpt(body: string): string {
  const shown = body.length > EXCERPT_CHARACTERS ? `${body.slice(0, EXCERPT_CHARACTERS)}…` : body;
  return JSON.stringify(shown);
}
