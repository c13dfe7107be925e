import { urgencyOf } from "./findings.ts";
import { type Language, reasonIn, textsIn } from "./languages.ts";
import { type Moments, momentsIn } from "./moments.ts";
import type { Finding, FindingKind, Night } from "./night.ts";
import type { Say, Texts } from "./texts.ts";

/** A verdict names at most this many kinds of findings; all of them stand below it. */
const MAX_KINDS = 2;

/** Between the parts of a line. A topic of SNS gets commas in their place. */
export const SEPARATOR = " · ";

/** What everything that speaks of a night needs: the words, the clocks, and reasons for a person. */
export interface Speech {
  readonly texts: Texts;
  readonly moments: Moments;
  readonly say: Say;
}

/** How a report of this time zone and moment speaks. */
export function speechOf(language: Language, timeZone: string, nowMs: number): Speech {
  const texts = textsIn(language);
  const moments = momentsIn(timeZone, nowMs, texts);
  return { texts, moments, say: { at: moments.at, full: moments.full, reason: reasonIn(texts), nowMs } };
}

/** The verdict on a night in one line: the title of its page, and the subject of its message. */
export function verdictLine(night: Night, speech: Speech): string {
  const { texts } = speech;
  const { verdict, short } = texts;
  const { archived, finished } = night.counts;
  const safe = verdict.safe(archived, finished);
  switch (night.verdict) {
    case "act":
      return [deadline(night.findings, speech), short["loss-near"](1), safe].join(SEPARATOR);
    case "none":
      return [
        verdict.noRun(lastRunOf(night, speech)),
        ...kindsInWords(night.findings.filter(needsSomebody), texts),
        ...(finished === 0 ? [] : [safe]),
      ].join(SEPARATOR);
    case "look": {
      const kinds = kindsInWords(night.findings.filter(needsSomebody), texts);
      return [verdict.words.look, ...kinds, safe].join(SEPARATOR);
    }
    case "ok":
      // What was archived is safe. Whether more is to be archived, the platform did not say.
      return [
        verdict.words.ok,
        safe,
        ...(night.unknown.platform === undefined ? [] : [texts.unknown.platform]),
      ].join(SEPARATOR);
  }
}

/** By when somebody has to act, from findings of which one says so. */
export function deadline(findings: readonly Finding[], { texts: { verdict }, say }: Speech): string {
  const fromMs = lossFromMs(findings);
  return fromMs === undefined || fromMs <= say.nowMs ? verdict.actNow : verdict.actBefore(say.full(fromMs));
}

/** The earliest moment at which an export may be lost, if one of the findings tells. */
export function lossFromMs(findings: readonly Finding[]): number | undefined {
  const moments = findings.flatMap((one) => (one.kind === "loss-near" ? [one.lossFromMs] : []));
  return moments.length === 0 ? undefined : Math.min(...moments);
}

/** When the last run ended, in words. */
export function lastRunOf({ lastRunAt }: Night, { say }: Speech): string | undefined {
  return lastRunAt === undefined ? undefined : say.full(Date.parse(lastRunAt));
}

/** Whether a finding is one that a person has to do something about. */
export function needsSomebody(finding: Finding): boolean {
  return urgencyOf(finding) !== "watch";
}

/** The kinds of findings in a few words each, and how many more there are. */
export function kindsInWords(
  findings: readonly Finding[],
  { short, verdict }: Pick<Texts, "short" | "verdict">,
  maxKinds = MAX_KINDS,
): readonly string[] {
  const amounts = new Map<FindingKind, number>();
  for (const finding of findings) {
    amounts.set(finding.kind, (amounts.get(finding.kind) ?? 0) + amountOf(finding));
  }
  const words = [...amounts].map(([kind, amount]) => short[kind](amount));
  const more = words.length - maxKinds;
  return more > 0 ? [...words.slice(0, maxKinds), verdict.more(more)] : words;
}

function amountOf(finding: Finding): number {
  return "count" in finding ? finding.count : 1;
}
