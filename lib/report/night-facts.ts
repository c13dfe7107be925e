import type { Failure } from "../domain/errors.ts";
import type { ExportTask, PlatformScope } from "../domain/export-task.ts";
import type { CatalogueLine } from "../records/catalogue-line.ts";
import type { InventoryState } from "../records/inventory-state.ts";
import type { RunReport } from "../records/run-report.ts";
import type { ExpectedRule } from "./expected.ts";
import type { Finding, PastNight } from "./night.ts";

/** The platform's list when the report was made, and what the records say about it. */
export interface PlatformSeen {
  readonly tasks: readonly ExportTask[];
  /** Items of the list that cannot be understood; each uses a slot. */
  readonly oddItems: number;
  /** Of the listed, finished revisions, those with a copy; `{exportTaskId}/{revision}`. */
  readonly archived: ReadonlySet<string>;
  /** Of the others, those that were given up. */
  readonly givenUp: ReadonlyMap<string, GivenUp>;
}

/** What the dead-letter record of an export says. */
export interface GivenUp {
  readonly reason: string;
  readonly atMs: number;
}

/** A line of the catalogue, or of the records, as far as a night shows it. */
export type NightLine = Omit<CatalogueLine, "recordsTag">;

/** A night before this one, from its stored report. */
export interface EarlierNight extends PastNight {
  readonly streak: number;
  readonly lastRunAt?: string;
}

/** Everything that a night is made of. The order of nothing in it matters. */
export interface NightFacts {
  readonly scope: PlatformScope;
  /** Of the platform. */
  readonly endpoint: string;
  readonly timeZone: string;
  /** Of the night, `yyyy-MM-dd`. */
  readonly date: string;
  readonly fromMs: number;
  readonly madeAtMs: number;
  readonly deletion: "after-verify" | "never";
  /** Those that ended before the night count only for what was last. */
  readonly runs: readonly RunReport[];
  readonly platform?: PlatformSeen;
  /** Of what was archived in the night, or is counted by a rule; each revision once. */
  readonly lines: readonly NightLine[];
  /** `overwritten`: what the last one before the report said is not there any more. Missing where there was none. */
  readonly inventory?: InventoryState | "overwritten";
  readonly deadLetters?: number;
  /** At most those of the 29 days before. */
  readonly earlier: readonly EarlierNight[];
  readonly rules: readonly ExpectedRule[];
  /** Where messages about this or an earlier night could not be sent. */
  readonly notNotified: readonly Extract<Finding, { readonly kind: "not-notified" }>[];
  readonly unknown: Readonly<Partial<Record<"platform" | "queue", Failure>>>;
}
