/** What is examined, in the order in which it is shown. */
export const GROUPS = [
  "settings",
  "platform",
  "store",
  "queue",
  "schedule",
  "notification",
  "archive",
] as const;
export type Group = (typeof GROUPS)[number];

/** `unknown`: it could not be asked, or its answer proves nothing. It changes no verdict. */
export type Status = "well" | "unknown" | "hurts" | "broken";

/** What a check found. */
export type Finding =
  | { readonly status: "well" | "unknown"; readonly text: string }
  | {
      readonly status: "hurts" | "broken";
      readonly text: string;
      /** Why, where the text does not say it. */
      readonly cause?: string;
      /** One thing to do about it. */
      readonly remedy: string;
    };

/** One check. */
export interface Check<Facts> {
  readonly id: string;
  /** The page and the heading that say more. */
  readonly documentation: string;
  /** Judges the facts; asks nothing. @returns `undefined` where the check does not apply. */
  readonly judge: (facts: Facts) => Finding | undefined;
}

/** A finding with the name of its check. */
export type CheckResult = Finding & {
  readonly group: Group;
  readonly id: string;
  readonly documentation: string;
};

export type Verdict = Exclude<Status, "unknown">;

/** What all findings come to: the worst of them. */
export function verdictOf(results: readonly Pick<Finding, "status">[]): Verdict {
  const has = (status: Status) => results.some((result) => result.status === status);
  return has("broken") ? "broken" : has("hurts") ? "hurts" : "well";
}

/** What the checks of a group find, in their order. */
export function judged<Facts>(
  group: Group,
  checks: readonly Check<Facts>[],
  facts: Facts,
): readonly CheckResult[] {
  return checks.flatMap(({ id, documentation, judge }) => {
    const finding = judge(facts);
    return finding === undefined ? [] : [{ ...finding, group, id, documentation }];
  });
}

export function well(text: string): Finding {
  return { status: "well", text };
}

export function unknown(text: string): Finding {
  return { status: "unknown", text };
}

export function hurts(text: string, remedy: string, cause?: string): Finding {
  return { status: "hurts", text, remedy, ...(cause === undefined ? {} : { cause }) };
}

export function broken(text: string, remedy: string, cause?: string): Finding {
  return { status: "broken", text, remedy, ...(cause === undefined ? {} : { cause }) };
}
