import * as v from "valibot";
import { compact } from "../domain/compact.ts";
import { exactly, readStrictJson, shortName, textLike, wholeNumberFrom } from "../domain/strict-schema.ts";
import { ExpectedExportsError } from "./errors.ts";
import { medianOf } from "./forecast.ts";
import type { Finding } from "./night.ts";
import { addDays, localDateOf, momentOf } from "./zoned-time.ts";

const MAX_RULES = 200;
/** A rule looks back over at most this many days. */
export const MAX_EVERY_DAYS = 31;
/** With fewer reported nights nothing is known of what is usual. */
const NIGHTS_TO_LEARN = 7;
/** What messages call the text. */
const WHAT = "a list of expected exports";

const fieldValue = textLike(/^.{1,64}$/s, "1 to 64 characters");

/** What an export must be for a rule to count it: everything that is named here. */
const whenSchema = exactly(
  {
    appId: v.optional(fieldValue),
    appType: v.optional(fieldValue),
    resourceType: v.optional(fieldValue),
    batchTaskId: v.optional(fieldValue),
  },
  WHAT,
);

const ruleSchema = exactly(
  {
    name: shortName,
    /** Every export where it is missing. */
    when: v.optional(whenSchema),
    /** Days by the calendar of the time zone. */
    every: v.optional(
      textLike(/^(?:[1-9]|[12]\d|3[01])d$/, 'a number of days such as "1d", at most "31d"'),
      "1d",
    ),
    /** The time of day in the time zone by which they are made. */
    by: textLike(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'a time of day such as "06:00"'),
    atLeast: v.optional(wholeNumberFrom(1, 10_000), 1),
    /** An export with fewer rows counts as empty. */
    minRows: v.optional(wholeNumberFrom(1, Number.MAX_SAFE_INTEGER)),
  },
  WHAT,
);
export type ExpectedRule = v.InferOutput<typeof ruleSchema>;

const expectedSchema = exactly(
  {
    rules: v.pipe(
      v.array(ruleSchema, "is not a list"),
      v.maxLength(MAX_RULES, `has more than ${MAX_RULES} rules`),
    ),
  },
  WHAT,
);

/**
 * Reads the rules of `ARCHIVER_EXPECT` from their JSON text: `{"rules":[{name, when?, every?, by, atLeast?, minRows?}]}`.
 *
 * @throws ExpectedExportsError listing every problem at once.
 */
export function parseExpectedExports(text: string): readonly ExpectedRule[] {
  const read = readStrictJson(expectedSchema, text, "the list");
  if (read.kind === "refused") {
    throw new ExpectedExportsError(read.problems);
  }
  const { rules } = read.value;
  const names = rules.map(({ name }) => name);
  const problems = rules.flatMap(({ name, when }, index) => [
    ...(names.indexOf(name) < index ? [`rules[${index}].name: another rule has this name`] : []),
    ...(when !== undefined && Object.keys(when).length === 0
      ? [`rules[${index}].when: is empty; remove it, and the rule counts every export`]
      : []),
  ]);
  if (problems.length > 0) {
    throw new ExpectedExportsError(problems);
  }
  return rules;
}

/** An export that was made, whatever became of it. */
export interface MadeExport {
  readonly exportTaskId: string;
  readonly madeAtMs: number;
  readonly rows?: number;
  readonly appId?: string;
  readonly appType?: string;
  readonly resourceType?: string;
  readonly batchTaskId?: string;
}

type ExpectedFinding = Extract<
  Finding,
  { readonly kind: "expected-missing" | "expected-empty" | "expected-late" }
>;

/**
 * What the rules expected and did not find. Each counts the exports made in the `every` days up to the last time of day
 * `by` that is not after the report. What was made after that is late: where it makes the number good, the finding says
 * only that.
 *
 * @param made in any order, each export once.
 */
export function judgeExpected(
  rules: readonly ExpectedRule[],
  made: readonly MadeExport[],
  { nowMs, timeZone }: { readonly nowMs: number; readonly timeZone: string },
): readonly ExpectedFinding[] {
  const oldestFirst = [...made]
    .filter(({ madeAtMs }) => madeAtMs <= nowMs)
    .sort((a, b) => a.madeAtMs - b.madeAtMs || (a.exportTaskId < b.exportTaskId ? -1 : 1));
  return rules.flatMap((rule) =>
    judgeRule(
      rule,
      oldestFirst.filter((one) => applies(rule, one)),
      windowOf(rule, nowMs, timeZone),
    ),
  );
}

function judgeRule(
  { name, when, atLeast, minRows }: ExpectedRule,
  matching: readonly MadeExport[],
  { fromMs, byMs }: { readonly fromMs: number; readonly byMs: number },
): readonly ExpectedFinding[] {
  const inTime = matching.filter(({ madeAtMs }) => madeAtMs > fromMs && madeAtMs <= byMs);
  const late = matching.filter(({ madeAtMs }) => madeAtMs > byMs);
  const found = [...inTime, ...late];
  const lastSeen = matching.at(-1);
  // Where some were made, the last one is not what is missing.
  const likely = found.length === 0 ? lastSeen?.batchTaskId : undefined;
  // The one that makes the number good.
  const completing = late[atLeast - inTime.length - 1];
  const missing: readonly ExpectedFinding[] =
    inTime.length >= atLeast
      ? []
      : completing === undefined
        ? [
            {
              kind: "expected-missing",
              rule: name,
              expected: atLeast,
              found: found.length,
              byMs,
              ...compact({
                lastSeenMs: lastSeen?.madeAtMs,
                batchTaskId: when?.batchTaskId ?? likely,
              }),
            },
          ]
        : [{ kind: "expected-late", rule: name, byMs, madeAtMs: completing.madeAtMs }];
  const empty = found.flatMap(({ exportTaskId, rows }): readonly ExpectedFinding[] =>
    minRows !== undefined && rows !== undefined && rows < minRows
      ? [{ kind: "expected-empty", rule: name, exportTaskId, rows, minRows }]
      : [],
  );
  return [...missing, ...empty];
}

function windowOf({ by, every }: ExpectedRule, nowMs: number, timeZone: string) {
  const today = localDateOf(nowMs, timeZone);
  const todayMs = momentOf(today, by, timeZone);
  const date = todayMs <= nowMs ? today : addDays(today, -1);
  const days = Number.parseInt(every, 10);
  return { fromMs: momentOf(addDays(date, -days), by, timeZone), byMs: momentOf(date, by, timeZone) };
}

const CONDITIONS = ["appId", "appType", "resourceType", "batchTaskId"] as const;

function applies({ when = {} }: ExpectedRule, made: MadeExport): boolean {
  return CONDITIONS.every((name) => when[name] === undefined || when[name] === made[name]);
}

/**
 * Without rules: fewer than half of what is usual.
 *
 * @param madePerNight of the reported ones among the last 14 nights, without this one.
 */
export function judgeUsual(made: number, madePerNight: readonly number[]): readonly Finding[] {
  const median = medianOf(madePerNight) ?? 0;
  return madePerNight.length >= NIGHTS_TO_LEARN && made < median / 2
    ? [{ kind: "fewer-than-usual", found: made, median }]
    : [];
}
