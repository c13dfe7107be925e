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
  "store-vouches": "the store calls the changed copy good, so an archive run would trust it",
  "too-young":
    "an archive run may trust a copy that it read a short time ago; the next inventory looks again",
};

/** What came of damaged copies whose task is still on the platform. */
export function repairLines({ enqueued, unrepaired, failure }: RepairReport): readonly Line[] {
  const trusted = unrepaired.filter(({ reason }) => reason === "store-vouches");
  return lines(
    enqueued.length > 0 && `The next archive run archives again: ${enqueued.join(", ")}.`,
    unrepaired
      .slice(0, MAX_SHOWN)
      .map(
        ({ exportTaskId, reason }) =>
          `${exportTaskId} may still be on the platform and is not archived again: ${REASON_WORDS[reason]}.`,
      ),
    trusted.length > 0 &&
      'Next: run "iotda-archiver hold add <id> --reason …" at once, so that no run deletes the only good file. Then download it in the console.',
    failureLines(failure, "Nothing is archived again: ", red),
  );
}
