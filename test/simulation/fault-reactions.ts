import type { Fault, Site } from "../world/faults.ts";
import { DISTINCT_FAULTS, type FaultRow } from "./fault-table.ts";

/**
 * The codes of the ports' errors that policy answers in a way of their own, wherever they come from. A test holds
 * this list against the sources.
 */
export const NAMED_CODES: ReadonlySet<string> = new Set([
  "platform-task-not-found",
  "platform-throttled",
  "platform-unreachable",
  "queue-handle-expired",
  "store-copy-differs",
  "store-object-cold",
  "store-too-large",
  "store-upload-gone",
]);

/** The one site where policy asks whether another try can help at all. */
const RETRIED: Site = "platform.listExportTasks";

/** What policy sees of a fault that an error tells of: the rest of the error is for people. */
function reactionOf({ site, behaviour, fault }: FaultRow): string {
  const made: Fault = fault();
  if (made.form !== "not-done" && made.form !== "done-answer-lost") {
    return behaviour;
  }
  const fact = (name: string) => Reflect.get(made.error, name);
  const code = String(fact("code"));
  // An unforeseen error is taken for a fault of the task.
  const seen = NAMED_CODES.has(code) ? code : (fact("scope") ?? "task");
  const throttle = JSON.stringify(fact("throttle"));
  const retry = site === RETRIED && fact("retry") === "later" ? "tried again" : "";
  return `${site} ${made.form} ${seen} ${throttle} ${retry}`;
}

/** The behaviours of the fault table by what policy can tell apart, each group in the table's order. */
export const REACTIONS: ReadonlyMap<string, readonly FaultRow[]> = Map.groupBy(DISTINCT_FAULTS, reactionOf);

/** One row of each reaction: what pairs are made of. */
export const REACTION_ROWS: readonly FaultRow[] = [...REACTIONS.values()].flatMap((rows) => rows.slice(0, 1));
