import type { Damage } from "../catalogue/damage.ts";
import type { Failure } from "../domain/errors.ts";

/**
 * The verdict on a night, the worst first. `act`: an export that is not archived may be destroyed, and the report says
 * when. `none`: no run ended in this night. `look`: something needs a person, and no export is in danger before the next
 * report. `ok`: everything that was finished is archived.
 */
export const VERDICTS = ["act", "none", "look", "ok"] as const;
export type Verdict = (typeof VERDICTS)[number];

/** How an export stood at the end of the night; the first ones need a person most. */
export const EXPORT_STANDINGS = [
  "given-up",
  "waiting",
  "retried",
  "archived-kept",
  "archived-deleted",
  "deleted",
] as const;
export type ExportStanding = (typeof EXPORT_STANDINGS)[number];

/** One export that the night was about. Texts may come from outside: whoever shows them escapes them. */
export interface NightExport {
  readonly exportTaskId: string;
  readonly revision?: string;
  /**
   * `waiting`: finished on the platform, and not archived yet. `retried`: an attempt failed, and another one follows.
   * `deleted`: archived in an earlier night, and deleted in this one.
   */
  readonly standing: ExportStanding;
  /** Why it was given up, retried or kept: a code of the run report. */
  readonly reason?: string;
  readonly batchTaskId?: string;
  /** The rows that the platform says it has. */
  readonly rows?: number;
  readonly sizeBytes?: number;
  /** Attempts at it in this night. */
  readonly attempts: number;
  /** ISO 8601 in UTC, like every time here. */
  readonly createTime?: string;
  readonly archivedAt?: string;
  readonly deletedAt?: string;
}

/** What a person has to do or to know. `kind` decides on the text, which the table of each language has. */
export type Finding =
  /** Not archived, and destroyed by the platform when all slots are used. `fromMs` is the earliest such moment. */
  | {
      readonly kind: "loss-near";
      readonly exportTaskId: string;
      readonly lossFromMs: number;
      readonly held: number;
      readonly limit: number;
    }
  /** It is gone from the platform, and there is no archived copy of it. */
  | { readonly kind: "lost"; readonly exportTaskId: string; readonly atMs: number }
  | {
      readonly kind: "given-up";
      readonly exportTaskId: string;
      readonly reason: string;
      readonly atMs: number;
      readonly batchTaskId?: string;
    }
  | {
      readonly kind: "damaged";
      readonly exportTaskId: string;
      readonly revision: string;
      readonly damage: Damage["kind"];
      readonly key: string;
    }
  /** The last runs ended with a system failure. */
  | {
      readonly kind: "system-failing";
      readonly failure: Failure;
      readonly runs: number;
      readonly sinceMs: number;
    }
  /** Finished before the night began, and no run archived it, tried to or gave it up. The oldest one is named. */
  | {
      readonly kind: "still-waiting";
      readonly exportTaskId: string;
      readonly count: number;
      readonly sinceMs: number;
    }
  | {
      readonly kind: "expected-missing";
      readonly rule: string;
      readonly expected: number;
      readonly found: number;
      readonly byMs: number;
      readonly lastSeenMs?: number;
      readonly batchTaskId?: string;
    }
  /** The export was made, with fewer rows than the rule asks for. */
  | {
      readonly kind: "expected-empty";
      readonly rule: string;
      readonly exportTaskId: string;
      readonly rows: number;
      readonly minRows: number;
    }
  /** Fewer than half of the median of the nights before. */
  | { readonly kind: "fewer-than-usual"; readonly found: number; readonly median: number }
  /** Copies will be unread for longer than the limit. */
  | { readonly kind: "verification-late"; readonly limitDays: number; readonly missedFromMs?: number }
  | { readonly kind: "drill-failed"; readonly exportTaskId: string; readonly atMs: number }
  /** `lastMs` is when the last one was whole; missing where there was none. */
  | { readonly kind: "no-inventory"; readonly lastMs?: number }
  /** Nearly all slots are used, by exports that are archived. */
  | { readonly kind: "slots-nearly-used"; readonly held: number; readonly limit: number }
  | {
      readonly kind: "expected-late";
      readonly rule: string;
      readonly byMs: number;
      readonly madeAtMs: number;
    }
  | { readonly kind: "dead-letters"; readonly count: number }
  | { readonly kind: "orphans"; readonly count: number }
  | { readonly kind: "left-alone"; readonly count: number }
  | { readonly kind: "not-notified"; readonly target: string; readonly sinceMs: number };

export type FindingKind = Finding["kind"];

/** What each finding makes of the verdict. `watch` is shown and changes nothing. */
export type Urgency = "act" | "look" | "watch";

/** Used slots, and when they will be full. */
export interface Places {
  /** Missing where neither the platform nor a run told. */
  readonly held?: number;
  readonly limit: number;
  /** When `held` was seen, where that is not the report's time. */
  readonly seenAt?: string;
  /** How many of those held are archived. */
  readonly archived?: number;
  /** Days until all slots are used at the fastest and the usual pace of the last 14 nights, if nothing is deleted. */
  readonly fullInDays?: { readonly least: number; readonly usual: number };
  /** The earliest moment at which the platform may destroy an export that is not archived. */
  readonly lossFrom?: string;
}

export interface NightRun {
  readonly runId: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly stopReason: string;
  readonly archived: number;
  readonly deleted: number;
  readonly failureCode?: string;
}

/** One of the last nights, as the strip of the page shows it. */
export interface PastNight {
  /** `yyyy-MM-dd` in the report's time zone. */
  readonly date: string;
  /** `unreported`: no report was made for it. */
  readonly verdict: Verdict | "unreported";
  readonly archived?: number;
  readonly givenUp?: number;
  /** Exports made in it. */
  readonly made?: number;
  /** The most slots that were used. */
  readonly held?: number;
  /** An attempt was repeated. */
  readonly hasRetries?: boolean;
}

/** How the copies stand by the last inventory. */
export interface VerificationStanding {
  readonly limitDays: number;
  readonly copies: number;
  readonly coldCopies: number;
  readonly oldestUnreadDays: number;
  readonly isLimitKept: boolean;
  readonly readToday: number;
  readonly damaged: number;
  /** Of the inventory. */
  readonly at: string;
}

/**
 * A night: everything that a page, a digest and a metric say about it. The same inputs give the same value. It is stored
 * as `reports/{yyyy}/{MM}/{dd}.json` with a `schemaVersion`.
 */
export interface Night {
  readonly schemaVersion: 1;
  /** `yyyy-MM-dd`, the day of the report in the time zone. */
  readonly date: string;
  readonly timeZone: string;
  readonly projectId: string;
  readonly instanceId?: string;
  /** Of the platform's address. */
  readonly endpoint: string;
  /** The night lasts from the same time of the day before until the report is made. */
  readonly from: string;
  readonly madeAt: string;
  readonly verdict: Verdict;
  /** By urgency, then as {@link Finding} lists them, then by id. */
  readonly findings: readonly Finding[];
  readonly counts: {
    /** Exports that were to be archived: archived + given up + retried + waiting. */
    readonly finished: number;
    readonly archived: number;
    readonly deleted: number;
    /** Archived in this night, and still on the platform. */
    readonly kept: number;
    readonly givenUp: number;
    readonly waiting: number;
    /** Exports created in this night. */
    readonly made: number;
    readonly throttled: number;
  };
  readonly bytes: number;
  readonly deletion: "after-verify" | "never";
  readonly places: Places;
  /** Why exports were kept, with how many: `hold`, `delete-disabled` … */
  readonly keptFor: Readonly<Record<string, number>>;
  /** At most {@link MAX_NIGHT_EXPORTS}, those first that need a person. */
  readonly exports: readonly NightExport[];
  readonly runs: readonly NightRun[];
  /** The last run that ended well before or in this night. */
  readonly lastRunAt?: string;
  readonly verification?: VerificationStanding;
  /** The 29 nights before and this one, oldest first. */
  readonly nights: readonly PastNight[];
  /** Nights in a row without anything to do, this one included. */
  readonly streak: number;
  /** The platform, the queue or the archive's inventory could not be asked; by place, the failure. */
  readonly unknown: Readonly<Partial<Record<"platform" | "queue", Failure>>>;
}

/** More exports than the platform has slots pass through a night only when many are deleted in it. */
export const MAX_NIGHT_EXPORTS = 500;

/** What is told by mail, chat or terminal: the verdict in one line, and up to 20 lines. */
export interface Digest {
  readonly subject: string;
  readonly text: string;
}
