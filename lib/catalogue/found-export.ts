import { compact } from "../domain/compact.ts";
import { nameOfLine } from "../records/catalogue.ts";
import type { CatalogueLine } from "../records/catalogue-line.ts";
import type { Damage } from "./damage.ts";

/**
 * `kept`: archived, and its task is still on the platform. `deleted`: archived, and gone from the platform. `expired`:
 * retention has removed the copy. `damaged`: the last inventory found the copy missing or changed.
 */
export const EXPORT_STATES = ["kept", "deleted", "expired", "damaged"] as const;
export type ExportState = (typeof EXPORT_STATES)[number];

/** An archived export as lists show it. */
export interface FoundExport extends Omit<CatalogueLine, "recordsTag"> {
  readonly state: ExportState;
  readonly damage?: Damage["kind"];
}

/** Which exports are wanted; each condition that is there must hold. */
export interface ExportFilter {
  /** Archived at this moment or later, epoch milliseconds. */
  readonly sinceMs?: number | undefined;
  /** Archived before this moment, epoch milliseconds. */
  readonly untilMs?: number | undefined;
  readonly batchTaskId?: string | undefined;
  readonly appId?: string | undefined;
  readonly state?: ExportState | undefined;
  /** Any part of an id, of the condition or of the key, whatever its case. */
  readonly text?: string | undefined;
}

/** @param damage of the last inventory, by the name of the revision. */
export function foundExport(
  { recordsTag: _tag, ...line }: CatalogueLine,
  damage: ReadonlyMap<string, Damage>,
): FoundExport {
  const found = damage.get(nameOfLine(line));
  // An export that was archived again has another object.
  const kind = found?.key === line.key || found?.kind === "unreadable-record" ? found.kind : undefined;
  return { ...line, state: stateOf(line, kind), ...compact({ damage: kind }) };
}

function stateOf(
  { expiredAt, deletedAt }: Pick<CatalogueLine, "expiredAt" | "deletedAt">,
  damage: Damage["kind"] | undefined,
): ExportState {
  if (expiredAt !== undefined) {
    return "expired";
  }
  return damage === undefined ? (deletedAt === undefined ? "kept" : "deleted") : "damaged";
}

export function isWanted(found: FoundExport, filter: ExportFilter): boolean {
  const archivedAtMs = Date.parse(found.archivedAt);
  return (
    archivedAtMs >= (filter.sinceMs ?? Number.NEGATIVE_INFINITY) &&
    archivedAtMs < (filter.untilMs ?? Number.POSITIVE_INFINITY) &&
    (filter.batchTaskId === undefined || found.batchTaskId === filter.batchTaskId) &&
    (filter.appId === undefined || found.appId === filter.appId) &&
    (filter.state === undefined || found.state === filter.state) &&
    (filter.text === undefined || hasText(found, filter.text))
  );
}

function hasText(found: FoundExport, text: string): boolean {
  const { exportTaskId, revision, batchTaskId, appId, key, condition } = found;
  return (
    [exportTaskId, revision, batchTaskId, appId, key].some((part) => includesText(part, text)) ||
    spellingsOf(text).some((spelling) => includesText(JSON.stringify(condition), spelling))
  );
}

export function includesText(part: string | undefined, text: string): boolean {
  return part?.toLowerCase().includes(text.toLowerCase()) === true;
}

/**
 * What must stand, in small letters, in the text of every line that is wanted: of each row, one spelling.
 */
export function textsOfWanted({ text, batchTaskId, appId }: ExportFilter): readonly (readonly string[])[] {
  return [
    text === undefined ? [] : spellingsOf(text),
    batchTaskId === undefined ? [] : [JSON.stringify(batchTaskId)],
    appId === undefined ? [] : [JSON.stringify(appId)],
  ]
    .filter((spellings) => spellings.length > 0)
    .map((spellings) => spellings.map((spelling) => spelling.toLowerCase()));
}

/** A text as it stands in JSON: as a part of it, or within one of its texts. */
function spellingsOf(text: string): readonly string[] {
  return [...new Set([text, JSON.stringify(text).slice(1, -1)])];
}
