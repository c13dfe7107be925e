import type { InitReport } from "../identity/init-archive.ts";
import type { StoreAbilities } from "../ports/object-store.ts";
import { count } from "./format.ts";

/** `init`. */
export function initLines(report: InitReport): readonly string[] {
  const { archiveId, createdAt, made, replaced } = report;
  return [
    made
      ? `Made archive ${archiveId}.`
      : `Archive ${archiveId} is here already, since ${createdAt.slice(0, 10)}.`,
    ...(replaced === undefined
      ? []
      : [`The queue remembered archive ${replaced}; from now on it remembers this one.`]),
    ...foundLines(report),
    ...abilityLines(report.abilities),
    `Set ARCHIVER_ARCHIVE_ID=${archiveId} to make every run refuse another place.`,
  ];
}

function foundLines({ found, foundMore }: Pick<InitReport, "found" | "foundMore">): readonly string[] {
  if (found.length === 0) {
    return [];
  }
  const each = found.map(({ name, objects }) => `${count(objects, "object")} in ${name}`);
  return [`Below the prefix lie already, untouched: ${each.join(", ")}${foundMore ? ", and more" : ""}.`];
}

/** What the operator loses with such a store; nothing where it can do everything. */
function abilityLines({ createOnce, compareAndSwap, verification }: StoreAbilities): readonly string[] {
  return [
    verification === "stored"
      ? "Copies are proved by the digest that the store keeps of its own."
      : "Copies are proved by reading them back.",
    ...(createOnce && compareAndSwap
      ? []
      : ["This store has no conditional writes: let one machine at a time work on the archive."]),
  ];
}
