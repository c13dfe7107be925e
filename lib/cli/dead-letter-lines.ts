import type { HeldDeadLetter } from "../ports/task-queue.ts";
import { parseBody } from "../queue/message-codec.ts";
import { count, formatDuration } from "./format.ts";

const EXCERPT_CHARACTERS = 40;

/** `dead-letters list` for a person: two lines a letter, which fit into any window. */
export function deadLetterLines(letters: readonly HeldDeadLetter[], nowMs: number): readonly string[] {
  if (letters.length === 0) {
    return ["There are no dead letters."];
  }
  return [
    ...letters.flatMap(({ id, body, reason, attempts, detail, deadLetteredAtMs }) => {
      const when = deadLetteredAtMs === undefined ? "" : `, ${formatDuration(nowMs - deadLetteredAtMs)} ago`;
      const tries = attempts === 0 ? "" : `, after ${count(attempts, "failed attempt")}`;
      return [`${id}  ${subjectOf(body)}  ${reason}${tries}${when}`, `    ${detail}`];
    }),
    "",
    'Move letters back with "iotda-archiver dead-letters redrive <id …>" or "--all".',
  ];
}

/** `dead-letters redrive` for a person: a line a letter, and one for each id that no letter has. */
export function redriveLines(
  ids: readonly string[] | "all",
  moved: readonly HeldDeadLetter[],
): readonly string[] {
  const lines = moved.map(({ id, body }) => `moved back ${id}: ${subjectOf(body)}`);
  const movedIds = new Set(moved.map(({ id }) => id));
  const unknown = ids === "all" ? [] : ids.filter((id) => !movedIds.has(id));
  return [
    ...lines,
    ...unknown.map((id) => `no dead letter has the id ${id}; "iotda-archiver dead-letters list" shows them`),
    ...(lines.length === 0 && unknown.length === 0 ? ["There are no dead letters."] : []),
  ];
}

/** The task a letter is about, or the beginning of a body that is no task's: anybody may have sent it. */
function subjectOf(body: string): string {
  const parsed = parseBody(body);
  return parsed.kind === "task" ? parsed.message.exportTaskId : excerpt(body);
}

/** Quoted, so that nothing in it can pass for words of this program. */
function excerpt(body: string): string {
  const shown = body.length > EXCERPT_CHARACTERS ? `${body.slice(0, EXCERPT_CHARACTERS)}…` : body;
  return JSON.stringify(shown);
}
