import type { Damage } from "../catalogue/damage.ts";
import type { DeadLetterReason } from "../domain/task-message.ts";
import type { StopReason } from "../records/run-report.ts";
import type { ExportStanding, Finding, FindingKind, Verdict } from "./night.ts";
import type { AttemptReason, ErrorReason } from "./reasons-en.ts";
import type { PageTexts } from "./texts-page.ts";

/** A moment as the clocks of the report show it; without the year where it is the report's own. */
export interface MomentParts {
  readonly year?: number;
  /** From 1 on. */
  readonly month: number;
  readonly day: number;
  /** From 0, which is Sunday. */
  readonly weekday: number;
  /** `HH:mm` */
  readonly time: string;
}

/** What a finding says: in one line what happened, then in a sentence or two what it means and what to do. */
export interface Said {
  readonly what: string;
  /** What the failure itself says about its remedy. */
  readonly hint?: string;
  readonly advice: string;
}

/** What texts of findings need besides the finding. */
export interface Say {
  /** A moment of the night; see `Moments.at`. */
  readonly at: (epochMs: number) => string;
  /** A moment to act by, with its offset. */
  readonly full: (epochMs: number) => string;
  /** A reason for a person. */
  readonly reason: (code: string) => string;
  /** When the report was made, epoch milliseconds. */
  readonly nowMs: number;
}

/** Counts of a night, as its texts use them. */
export interface NightNumbers {
  readonly archived: number;
  readonly finished: number;
  readonly deleted: number;
  readonly kept: number;
  readonly givenUp: number;
  readonly waiting: number;
  readonly retried: number;
  /** Such as `1.9 GiB`. */
  readonly size: string;
  /** Such as `held by an operator 3`. */
  readonly keptFor: string;
}

/** Every text of the page, the digest and the notifications in one language. Whoever shows one escapes it. */
export interface Texts {
  /** As HTML names the language. */
  readonly lang: "en" | "zh-CN";
  readonly moments: {
    readonly long: (parts: MomentParts) => string;
    readonly brief: (parts: MomentParts) => string;
    readonly date: (parts: Omit<MomentParts, "time">) => string;
    /** @param month from 1 on. */
    readonly month: (month: number) => string;
    readonly withOffset: (moment: string, offset: string) => string;
  };
  readonly comma: string;
  readonly colon: string;
  /** Between two sentences. */
  readonly stop: string;
  readonly attemptReasons: Readonly<Record<AttemptReason, string>>;
  readonly errorReasons: Readonly<Record<ErrorReason, string>>;
  readonly standings: Readonly<Record<ExportStanding, string>>;
  readonly stops: Readonly<Record<StopReason, string>>;
  readonly damages: Readonly<Record<Damage["kind"], string>>;
  /** What to do about an export that was given up for this reason. */
  readonly givenUp: Readonly<Record<DeadLetterReason, string>>;
  readonly givenUpOtherwise: string;

  /** The parts of the verdict in one line. */
  readonly verdict: {
    readonly words: Readonly<Record<Verdict | "unreported", string>>;
    readonly actBefore: (moment: string) => string;
    readonly actNow: string;
    /** @param last when the last run ended; missing where there was none. */
    readonly noRun: (last: string | undefined) => string;
    readonly safe: (archived: number, finished: number) => string;
    readonly more: (count: number) => string;
  };
  /** A kind of finding in a few words, with how many there are. */
  readonly short: Readonly<Record<FindingKind, (count: number) => string>>;
  readonly finding: (finding: Finding, say: Say) => Said;
  /** What is said of a night without a run, as if it were a finding. */
  readonly noRun: (last: string | undefined) => Said;

  readonly digest: {
    readonly needs: (count: number) => string;
    readonly nothingToDo: string;
    readonly watch: string;
    readonly more: (count: number) => string;
    readonly numbers: (numbers: NightNumbers) => string;
    readonly runbook: (section: string) => string;
    readonly page: string;
    readonly copies: string;
    readonly urgent: string;
  };
  readonly unknown: {
    readonly platform: string;
    readonly queue: string;
  };
  readonly slots: {
    readonly used: (held: number, limit: number, archived: number | undefined) => string;
    readonly unknown: string;
    readonly seen: (slots: string, moment: string) => string;
    readonly full: (days: { readonly least: number; readonly usual: number }) => string;
  };
  readonly copies: {
    readonly kept: (oldestDays: number, limitDays: number) => string;
    readonly late: (oldestDays: number, limitDays: number) => string;
    readonly unknown: string;
  };
  readonly scope: (of: { readonly project: string; readonly instance: string | undefined }) => string;
  readonly page: PageTexts;
  readonly window: (from: string, to: string) => string;
}
