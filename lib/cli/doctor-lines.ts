import { type CheckResult, GROUPS, type Status, type Verdict } from "../doctor/check.ts";
import type { Examination } from "../doctor/examine.ts";
import { type Line, lines } from "./output.ts";

const MARKS: Readonly<Record<Status, string>> = { well: "√", unknown: "–", hurts: "‼", broken: "×" };
const COLOURS = { hurts: "magenta", broken: "red" } as const;
const VERDICTS: Readonly<Record<Verdict, string>> = {
  well: "All is well.",
  hurts: "It works, but something will hurt.",
  broken: "It is broken.",
};

/** What an examination found, for a person: a line for each check, what to do under what fails, and the verdict last. */
export function doctorLines({ verdict, checks, left }: Examination): readonly Line[] {
  const groups = GROUPS.map((group) => ({ group, ofGroup: checks.filter((one) => one.group === group) }));
  return lines(
    ...groups.map(({ group, ofGroup }) =>
      ofGroup.length === 0 ? [] : [group, ...ofGroup.flatMap(checkLines)],
    ),
    left.length > 0 && `Not examined, because the settings cannot be used: ${left.join(", ")}`,
    verdictLine(verdict, checks),
  );
}

function checkLines(check: CheckResult): readonly Line[] {
  const text = `  ${MARKS[check.status]} ${check.text}`;
  switch (check.status) {
    case "well":
    case "unknown":
      return [text];
    case "hurts":
    case "broken":
      return lines(
        { text, colour: COLOURS[check.status] },
        check.cause !== undefined && `      ${check.cause}`,
        `      → ${check.remedy}`,
        `      ${check.documentation}`,
      );
  }
}

function verdictLine(verdict: Verdict, checks: readonly CheckResult[]): Line {
  const counts = (["well", "unknown", "hurts", "broken"] as const)
    .map((status) => ({ status, count: checks.filter((check) => check.status === status).length }))
    .filter(({ count }) => count > 0)
    .map(({ status, count }) => `${count} ${MARKS[status]}`);
  const text = `${VERDICTS[verdict]} ${counts.join(", ")}`;
  return verdict === "well" ? text : { text, colour: COLOURS[verdict] };
}

/** A check as programs read it. */
export interface CheckDocument
  extends Pick<CheckResult, "group" | "id" | "status" | "text" | "documentation"> {
  /** `null` where there is nothing to do. */
  readonly remedy: string | null;
}

/** The same for programs. */
export function doctorDocument({ verdict, checks }: Examination): {
  readonly verdict: Verdict;
  readonly checks: readonly CheckDocument[];
} {
  return {
    verdict,
    checks: checks.map((check) => {
      const { group, id, status, documentation } = check;
      const isFailed = check.status === "hurts" || check.status === "broken";
      const cause = isFailed && check.cause !== undefined ? `: ${check.cause}` : "";
      const remedy = isFailed ? check.remedy : null;
      return { group, id, status, text: `${check.text}${cause}`, remedy, documentation };
    }),
  };
}
