import { InvalidArgumentError } from "commander";
import { GROUPS, type Group } from "../doctor/check.ts";
import { isExportTaskId } from "../domain/export-task.ts";
import { BATCH_TASK_ID } from "../domain/request-layout.ts";
import { isHoldPattern } from "../records/holds.ts";

// Parsers of arguments and options. What they throw, commander shows with the option's name.

/** A parser of an argument that takes only what the check allows. @param rule completes "It must …". */
export function checked(isAllowed: (text: string) => boolean, rule: string): (text: string) => string {
  return (text) => {
    if (!isAllowed(text)) {
      throw new InvalidArgumentError(`It must ${rule}.`);
    }
    return text;
  };
}

const ID_RULE = "consist of 1 to 36 letters, digits, hyphens and underscores";
const MAX_REASON_CHARACTERS = 1_000;

export const batchTaskIdOf = checked((text) => BATCH_TASK_ID.test(text), ID_RULE);
export const exportTaskIdOf = checked(isExportTaskId, ID_RULE);
export const fileNameOf = checked((text) => text !== "", "name a file");
/** The day on which a night ends. */
export const dateOf = checked(isDate, "be a date such as 2026-11-27");
/** As records and object names have it. */
export const revisionText = checked(
  (text) => /^[0-9a-f]{8}$/.test(text),
  "consist of 8 hex digits (0 to 9, a to f)",
);
export const holdPattern = checked(
  isHoldPattern,
  "consist of letters, digits, hyphens and underscores, with * for any characters and ? for one",
);
/** A reason or a name, as a note keeps it. */
export const reasonText = checked(
  (text) => text.trim() !== "" && text.length <= MAX_REASON_CHARACTERS,
  `have 1 to ${MAX_REASON_CHARACTERS} characters`,
);

/** Groups of checks, separated by commas. */
export function groupsOf(text: string): readonly Group[] {
  return text.split(",").map((word) => {
    const group = GROUPS.find((name) => name === word.trim());
    if (group === undefined) {
      throw new InvalidArgumentError(`The groups are ${GROUPS.join(", ")}.`);
    }
    return group;
  });
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError("It must be a whole number of at least 1.");
  }
  return value;
}

/** `5%` or `5`, as a part of 1. */
export function percentage(text: string): number {
  const percent = /^\d{1,3}(?:\.\d{1,6})?%?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (!(percent > 0 && percent <= 100)) {
    throw new InvalidArgumentError("It must be more than 0% and at most 100%.");
  }
  return percent / 100;
}

function isDate(text = ""): boolean {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  // Date.parse rolls 30 February over into March.
  return !Number.isNaN(ms) && new Date(ms).toISOString().slice(0, 10) === text;
}

const AGO = /^(\d{1,5})([hdw])$/;
const HOURS_OF = { h: 1, d: 24, w: 7 * 24 } as const;
const HOUR_MS = 3_600_000;
const MOMENT = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}(?::\d{2})?)(Z|[+-]\d{2}:\d{2})?)?$/;

/**
 * A moment as people write it: `7d` and `12h` ago, or a date in ISO 8601, in UTC unless it names another zone.
 *
 * @returns epoch milliseconds of the moment's beginning and of its end: a date stands for the whole day.
 */
export function momentOf(text: string, nowMs: number): { readonly startMs: number; readonly endMs: number } {
  const [, amount, unit] = AGO.exec(text) ?? [];
  if (amount !== undefined && (unit === "h" || unit === "d" || unit === "w")) {
    const ms = nowMs - Number(amount) * HOURS_OF[unit] * HOUR_MS;
    return { startMs: ms, endMs: ms };
  }
  const [, day, time, zone = "Z"] = MOMENT.exec(text) ?? [];
  const dayMs = Date.parse(`${day}T00:00:00Z`);
  const ms = time === undefined ? dayMs : Date.parse(`${day}T${time}${zone}`);
  if (Number.isNaN(ms) || !isDate(day)) {
    throw new InvalidArgumentError(
      "It must be a time span such as 7d or 12h, or a date such as 2026-11-21 or 2026-11-21T01:30Z.",
    );
  }
  return { startMs: ms, endMs: time === undefined ? ms + 24 * HOUR_MS : ms };
}
