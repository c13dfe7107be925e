import type { PlantedBug } from "../planted-bug.ts";

/** Bugs in the look at a task: what is absent, finished, given up already, or due later. */
export const INSPECTION_BUGS: readonly PlantedBug[] = [
  {
    name: "absence from one list",
    breaks: "A task that one list does not show is given up as gone.",
    invariant: "I5",
    file: "lib/archive/missing-task.ts",
    find: 'const answer = isWorthAsking ? await askWhetherFileIsGone(attempt) : "not-asked";',
    replace: 'const answer = "gone";',
  },
  {
    name: "empty list believed",
    breaks: "A list that is empty for minutes gives up every queued task.",
    invariant: "I5",
    file: "lib/archive/missing-task.ts",
    find: "const patienceMs = listIsEmpty ? EMPTY_LIST_PATIENCE_MS : settings.absenceConfirmMs;",
    replace: "const patienceMs = settings.absenceConfirmMs;",
  },
  {
    name: "any copy answers for a lost revision",
    breaks:
      "A revision that was evicted unarchived is passed over in silence because an older one is archived.",
    invariant: "I3",
    file: "lib/archive/missing-task.ts",
    find: "revision === undefined || archived.revision === revision || downloadedAtMs > requestedAtMs;",
    replace: "requestedAtMs !== undefined || revision === undefined;",
  },
  {
    name: "old dead letter silences a new request",
    breaks: "A task that was given up once is never worked on again, whatever is asked for.",
    invariant: "I3",
    file: "lib/archive/inspect-task.ts",
    find: "Date.parse(deadLetter.deadLetteredAt) > requestedAtMs",
    replace: "requestedAtMs !== undefined",
  },
  {
    name: "request's age forgotten",
    breaks: "A task that never finishes is waited for without end.",
    invariant: "I3",
    file: "lib/archive/receive-task.ts",
    find: "const requestedAtMs = message.requestedAtMs ?? nowMs;",
    replace: "const requestedAtMs = nowMs;",
  },
];
