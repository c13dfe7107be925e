import { formatBytes } from "../domain/format-bytes.ts";
import { type Deed, deedOf, NO_RUN_DEED } from "./deeds.ts";
import { urgencyOf } from "./findings.ts";
import { harmlessNight, harmlessValue } from "./harmless-night.ts";
import type { Language } from "./languages.ts";
import type { Digest, Finding, Night, Verdict } from "./night.ts";
import type { UrgentFinding } from "./tell-urgent.ts";
import type { Said, Texts } from "./texts.ts";
import {
  deadline,
  kindsInWords,
  lastRunOf,
  lossFromMs,
  needsSomebody,
  SEPARATOR,
  type Speech,
  speechOf,
  verdictLine,
} from "./verdict-line.ts";

/** Each takes three lines at most; with everything else a digest has 20. */
const MAX_NEEDS = 4;

/** Something that a person is told, and what to do about it. */
export interface Entry {
  readonly said: Said;
  readonly sign: Exclude<Verdict, "ok"> | "watch";
  readonly deed: Deed;
}

/**
 * A night as a message: its verdict as the subject, and at most 20 lines. The commands to type stand on lines of their
 * own.
 *
 * @param reportUrl where the pages can be read, if somewhere.
 */
export function digestOf(night: Night, language: Language, reportUrl?: string): Digest {
  const shown = harmlessNight(night);
  const madeAtMs = Date.parse(shown.madeAt);
  const speech = speechOf(language, night.timeZone, madeAtMs);
  const { texts } = speech;
  const needs = needsOf(shown, speech);
  const watch = watchOf(shown, speech);
  const unknown = unknownInWords(shown, texts);
  const { comma, colon } = texts;
  const lines = [
    ...(needs.length === 0 ? [texts.digest.nothingToDo] : needLines(needs, texts)),
    ...(watch.length === 0
      ? []
      : [`${texts.digest.watch}${colon}${allKindsInWords(shown, texts).join(comma)}`]),
    ...(unknown.length === 0 ? [] : [unknown.map(({ what, code }) => `${what} (${code})`).join(SEPARATOR)]),
    numbersInWords(shown, speech),
    slotsInWords(shown, speech),
    `${texts.digest.copies}${colon}${copiesInWords(shown, texts)}`,
    [
      texts.scope({ project: shown.projectId, instance: shown.instanceId }),
      texts.window(speech.moments.at(Date.parse(shown.from)), speech.moments.full(madeAtMs)),
    ].join(SEPARATOR),
    ...(reportUrl === undefined ? [] : [`${texts.digest.page}${colon}${reportUrl}`]),
  ];
  return { subject: verdictLine(shown, speech), text: `${lines.join("\n")}\n` };
}

/** What an urgent message says besides its findings. */
export interface UrgentContext {
  readonly language: Language;
  readonly timeZone: string;
  readonly projectId: string;
  readonly instanceId?: string | undefined;
  readonly nowMs: number;
}

/** What cannot wait, as a message. The first findings are named with what to do; the subject counts them all. */
export function urgentDigestOf(
  findings: readonly UrgentFinding[],
  { language, timeZone, projectId, instanceId, nowMs }: UrgentContext,
): Digest {
  const { fresh, project, instance } = harmlessValue({
    fresh: findings,
    project: projectId,
    instance: instanceId,
  });
  const speech = speechOf(language, timeZone, nowMs);
  const { texts } = speech;
  const entries = fresh.map((finding) => entryOf(finding, { exports: [] }, speech));
  const first = lossFromMs(fresh) === undefined ? texts.verdict.words.look : deadline(fresh, speech);
  const lines = [...needLines(entries, texts), texts.digest.urgent, texts.scope({ project, instance })];
  return {
    subject: [first, ...kindsInWords(fresh, texts)].join(SEPARATOR),
    text: `${lines.join("\n")}\n`,
  };
}

/** What a person has to do something about, the most urgent first. */
export function needsOf(night: Night, speech: Speech): readonly Entry[] {
  const findings = night.findings.filter(needsSomebody).map((one) => entryOf(one, night, speech));
  if (night.runs.length > 0) {
    return findings;
  }
  const said = speech.texts.noRun(lastRunOf(night, speech));
  // That an export may be lost comes before it, as in the order of verdicts.
  const acts = lossFromMs(night.findings) === undefined ? 0 : 1;
  return [...findings.slice(0, acts), { said, deed: NO_RUN_DEED, sign: "none" }, ...findings.slice(acts)];
}

/** What a person has to know. */
export function watchOf(night: Night, speech: Speech): readonly Entry[] {
  return night.findings.filter((one) => !needsSomebody(one)).map((one) => entryOf(one, night, speech));
}

function entryOf(finding: Finding, night: Pick<Night, "exports">, { texts, say }: Speech): Entry {
  return { said: texts.finding(finding, say), deed: deedOf(finding, night), sign: urgencyOf(finding) };
}

function needLines(entries: readonly Entry[], { digest, stop }: Texts): readonly string[] {
  const more = entries.length - MAX_NEEDS;
  return [
    digest.needs(entries.length),
    ...entries
      .slice(0, MAX_NEEDS)
      .flatMap(({ said, deed }) => [
        `- ${said.what}${said.hint === undefined ? "" : `${stop}${said.hint}`}`,
        ...(deed.commands.length === 0
          ? [`  ${digest.runbook(deed.section)}`]
          : deed.commands.map((command) => `  ${command}`)),
      ]),
    ...(more > 0 ? [`- ${digest.more(more)}`] : []),
  ];
}

function allKindsInWords(night: Night, texts: Texts): readonly string[] {
  return kindsInWords(
    night.findings.filter((one) => !needsSomebody(one)),
    texts,
    Number.POSITIVE_INFINITY,
  );
}

/** What could not be asked when the report was made. */
export function unknownInWords({ unknown }: Night, texts: Texts) {
  return (["platform", "queue"] as const).flatMap((place) => {
    const failure = unknown[place];
    return failure === undefined ? [] : [{ what: texts.unknown[place], ...failure }];
  });
}

function numbersInWords({ counts, bytes, keptFor }: Night, { texts, say }: Speech): string {
  const { finished, archived, givenUp, waiting } = counts;
  const entries = Object.entries(keptFor);
  // One reason is that of all; of several, each has its own number.
  const reasons = entries.map(([code, n]) =>
    entries.length === 1 ? say.reason(code) : `${n}: ${say.reason(code)}`,
  );
  return texts.digest.numbers({
    ...counts,
    retried: finished - archived - givenUp - waiting,
    size: formatBytes(bytes),
    keptFor: reasons.slice(0, 3).join(texts.comma),
  });
}

/** How many export slots are used, and when all will be. */
export function slotsInWords(
  { places }: Night,
  { texts: { slots, comma }, say }: Pick<Speech, "texts" | "say">,
): string {
  const { held, limit, archived, fullInDays, seenAt } = places;
  if (held === undefined) {
    return slots.unknown;
  }
  const now = slots.used(held, limit, archived);
  const used = seenAt === undefined ? now : slots.seen(now, say.full(Date.parse(seenAt)));
  return fullInDays === undefined ? used : `${used}${comma}${slots.full(fullInDays)}`;
}

/** How the copies stand by the last inventory. */
export function copiesInWords({ verification }: Night, { copies }: Texts): string {
  if (verification === undefined) {
    return copies.unknown;
  }
  const { isLimitKept, limitDays } = verification;
  const oldest = Math.floor(verification.oldestUnreadDays);
  return isLimitKept ? copies.kept(oldest, limitDays) : copies.late(oldest, limitDays);
}
