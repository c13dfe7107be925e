import { HOLDS_FOLDER } from "../../lib/domain/key-layout.ts";
import type { Effect } from "./effects.ts";

/** When one runner last asked what the gate has to ask about one task before each delete (architecture §4 step 7). */
interface Questions {
  /** When this runner asked to delete it before; what was asked until then counts no more. */
  deletedMs: number;
  /** By the number of the attempt's signal: an attempt at a sibling asks about the object too. */
  objectAskedMs: Map<number | undefined, number>;
}

/**
 * Delete requests that no gate can have let through: made although deletion is off, or without the questions
 * of the gate since this runner's request before: is there a hold, is the object there, and then a list. What
 * became of the request does not matter; the calls alone are looked at, so that nothing can happen to be right.
 */
export function findUnwantedDeletes(
  effects: readonly Effect[],
  deletion: "after-verify" | "never",
): readonly string[] {
  const questions = new Map<string, Questions>();
  const listBegunMs = new Map<string, number>();
  /** When each runner last listed the holds: one list tells of all tasks. */
  const holdsListedMs = new Map<string, number>();
  const violations: string[] = [];
  const askedAbout = (runner: string, id: string): Questions => {
    const key = `${runner}/${id}`;
    const asked = questions.get(key) ?? { deletedMs: -1, objectAskedMs: new Map() };
    questions.set(key, asked);
    return asked;
  };
  for (const { site, subject, runner, signalNumber, outcome, startedAtMs, atMs } of effects) {
    // A death is a line of its own, beside that of the effect it followed.
    switch (outcome === "crash" ? undefined : site) {
      case "platform.listExportTasks":
        // Of two under way at once the one that was begun later may be answered first.
        listBegunMs.set(runner, Math.max(startedAtMs, listBegunMs.get(runner) ?? startedAtMs));
        break;
      case "store.list":
        if (subject === HOLDS_FOLDER) {
          holdsListedMs.set(runner, atMs);
        }
        break;
      case "store.head":
        askedAbout(runner, subject.split("/").at(-2) ?? "").objectAskedMs.set(signalNumber, atMs);
        break;
      case "platform.deleteExportTask": {
        const asked = askedAbout(runner, subject);
        const problem =
          deletion === "never"
            ? DELETION_IS_OFF
            : problemOf(
                { ...asked, objectAskedMs: asked.objectAskedMs.get(signalNumber) },
                holdsListedMs.get(runner),
                listBegunMs.get(runner),
              );
        if (problem !== undefined) {
          const [invariant, why] = problem;
          violations.push(`${invariant}: ${runner} asked to delete ${subject} ${why} (at ${atMs} ms)`);
        }
        questions.set(`${runner}/${subject}`, { deletedMs: atMs, objectAskedMs: new Map() });
        break;
      }
      default:
        break;
    }
  }
  return violations;
}

type Problem = readonly [invariant: "I1" | "I3", why: string];

/** I3: what an operator wants kept is kept. */
const DELETION_IS_OFF: Problem = ["I3", "although deletion is off"];

function problemOf(
  { deletedMs, objectAskedMs }: { readonly deletedMs: number; readonly objectAskedMs: number | undefined },
  holdsListedMs = -1,
  listBegunMs = -1,
): Problem | undefined {
  const isHoldAsked = holdsListedMs > deletedMs;
  if (!isHoldAsked && objectAskedMs === undefined) {
    return ["I1", "without passing the gate again"];
  }
  if (!isHoldAsked) {
    return ["I3", "without a look for a hold"];
  }
  if (objectAskedMs === undefined) {
    return ["I1", "without a look at the object"];
  }
  return listBegunMs < objectAskedMs ? ["I1", "on a list from before its other questions"] : undefined;
}
