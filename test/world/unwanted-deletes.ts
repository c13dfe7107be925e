import type { Effect } from "./effects.ts";

/** When one runner last asked what the gate has to ask about one task before each delete (design §4 step 7). */
interface Questions {
  holdAskedMs: number | undefined;
  objectAskedMs: number | undefined;
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
  const violations: string[] = [];
  const askedAbout = (runner: string, id: string): Questions => {
    const key = `${runner}/${id}`;
    const asked = questions.get(key) ?? { holdAskedMs: undefined, objectAskedMs: undefined };
    questions.set(key, asked);
    return asked;
  };
  for (const { site, subject, runner, outcome, startedAtMs, atMs } of effects) {
    // A death is a line of its own, beside that of the effect it followed.
    switch (outcome === "crash" ? undefined : site) {
      case "platform.listExportTasks":
        // Of two under way at once the one that was begun later may be answered first.
        listBegunMs.set(runner, Math.max(startedAtMs, listBegunMs.get(runner) ?? startedAtMs));
        break;
      case "store.getDocument":
        if (subject.startsWith("holds/")) {
          askedAbout(runner, subject.slice("holds/".length, -".json".length)).holdAskedMs = atMs;
        }
        break;
      case "store.head":
        askedAbout(runner, subject.split("/").at(-2) ?? "").objectAskedMs = atMs;
        break;
      case "platform.deleteExportTask": {
        const asked = askedAbout(runner, subject);
        const problem = deletion === "never" ? DELETION_IS_OFF : problemOf(asked, listBegunMs.get(runner));
        if (problem !== undefined) {
          const [invariant, why] = problem;
          violations.push(`${invariant}: ${runner} asked to delete ${subject} ${why} (at ${atMs} ms)`);
        }
        questions.delete(`${runner}/${subject}`);
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

function problemOf({ holdAskedMs, objectAskedMs }: Questions, listBegunMs = -1): Problem | undefined {
  if (holdAskedMs === undefined && objectAskedMs === undefined) {
    return ["I1", "without passing the gate again"];
  }
  if (holdAskedMs === undefined) {
    return ["I3", "without a look for a hold"];
  }
  if (objectAskedMs === undefined || objectAskedMs < holdAskedMs) {
    return ["I1", "without a look at the object"];
  }
  return listBegunMs < objectAskedMs ? ["I1", "on a list from before its other questions"] : undefined;
}
