import type { HeldDeadLetter } from "../ports/task-queue.ts";
import { parseBody } from "./message-codec.ts";

/** The export task that a letter is about; `undefined` when its body names none. */
export function taskOfLetter({ body }: Pick<HeldDeadLetter, "body">): string | undefined {
  const parsed = parseBody(body);
  return parsed.kind === "task" ? parsed.message.exportTaskId : undefined;
}

/** Whether one of the ids is the letter's own, or that of the export task it is about. */
export function isNamedBy(ids: ReadonlySet<string>, letter: Pick<HeldDeadLetter, "id" | "body">): boolean {
  if (ids.has(letter.id)) {
    return true;
  }
  const task = taskOfLetter(letter);
  return task !== undefined && ids.has(task);
}
