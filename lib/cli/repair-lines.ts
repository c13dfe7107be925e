import type { RepairReport, UnrepairedReason } from "../catalogue/repair.ts";
import { failureLines, type Line, lines, red } from "./output.ts";

const MAX_SHOWN = 20;

const REASON_WORDS: Readonly<Record<UnrepairedReason, string>> = {
  "list-in-doubt": "the platform's list holds an item that cannot be understood",
  "revision-changed": "the platform has another revision of it by now",
  unfinished: "the platform has not finished it",
  "record-unreadable": "its records cannot be read",
  "recorded-otherwise": "its records name another copy by now",
  "dead-lettered": "it was dead-lettered since then",
};

/** What came of damaged copies whose task is still on the platform. */
export function repairLines({ enqueued, unrepaired, failure }: RepairReport): readonly Line[] {
  return lines(
    enqueued.length > 0 && `The next archive run archives again: ${enqueued.join(", ")}.`,
    unrepaired
      .slice(0, MAX_SHOWN)
      .map(
        ({ exportTaskId, reason }) =>
          `${exportTaskId} may still be on the platform and is not archived again: ${REASON_WORDS[reason]}.`,
      ),
    failureLines(failure, "Nothing is archived again: ", red),
  );
}
