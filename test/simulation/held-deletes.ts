import { HOLDS_FOLDER } from "../../lib/domain/key-layout.ts";
import type { Effect } from "../world/effects.ts";

/** A file below `holds/` that somebody put there, and took away again. */
export interface StandingHold {
  /** `undefined` for what cannot be understood: it holds every task. */
  readonly id: string | undefined;
  readonly fromMs: number;
  /** Infinity while it stands. */
  toMs: number;
}

/** I3: requests to delete a task of which the runner's last look at the holds showed that somebody holds it. */
export function findHeldDeletes(
  effects: readonly Effect[],
  holds: readonly StandingHold[],
): readonly string[] {
  const askedMs = new Map<string, number>();
  const violations: string[] = [];
  for (const { site, subject, runner, outcome, atMs } of holds.length === 0 ? [] : effects) {
    if (site === "store.list" && subject === HOLDS_FOLDER && outcome === "done") {
      askedMs.set(runner, atMs);
    }
    const seenMs = askedMs.get(runner) ?? -1;
    const isHeld = holds.some(
      ({ id, fromMs, toMs }) => (id === undefined || id === subject) && fromMs < seenMs && seenMs < toMs,
    );
    if (site === "platform.deleteExportTask" && outcome !== "crash" && isHeld) {
      violations.push(`I3: ${runner} asked to delete ${subject} although somebody holds it (at ${atMs} ms)`);
    }
  }
  return violations;
}
