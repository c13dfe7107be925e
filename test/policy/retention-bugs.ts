import type { PlantedBug } from "../simulation/planted/planted-bug.ts";

type Row = readonly [name: string, breaks: string, file: string, find: string, replace: string];

const VERDICT = "lib/retention/expiry-verdict.ts";
const REMOVE = "lib/retention/remove-export.ts";
const HOLDS = "lib/records/holds.ts";

const ROWS: readonly Row[] = [
  [
    "hold not asked for",
    "An export goes although an operator holds it.",
    REMOVE,
    "if ((await run.holds.read(run)).isHeld(exportTaskId)) {",
    'if (run.runId === "") {',
  ],
  [
    "globs not matched",
    "An export goes although a glob holds it.",
    HOLDS,
    "matchesGlob(pattern, exportTaskId)",
    "pattern === exportTaskId",
  ],
  [
    "unreadable hold passed over",
    "An export goes although a damaged document holds it.",
    HOLDS,
    "const hold = { key, pattern,",
    'const hold = { key, pattern: document?.text === undefined ? "" : pattern,',
  ],
  [
    "lock not asked for",
    "The removal of a locked object is asked for; a store without scruples would do it.",
    VERDICT,
    "return legalHold || (lock !== undefined && !(lock.untilMs <= nowMs));",
    "return legalHold && lock === undefined && nowMs < 0;",
  ],
  [
    "a day early",
    "An export goes before its time.",
    VERDICT,
    "if (!(keepUntilMs <= nowMs)) {",
    "if (!(keepUntilMs <= nowMs + DAY_MS)) {",
  ],
  [
    "the latest clock counts",
    "A machine whose clock is ahead removes exports before their time.",
    "lib/retention/run.ts",
    "const earliestMs = Math.min(...known);",
    "const earliestMs = Math.max(...known);",
  ],
  [
    "deleted record not waited for",
    "An export goes on the day its task was deleted.",
    VERDICT,
    "if (!(deletedAtMs + DELETED_FOR_MS <= nowMs)) {",
    "if (!(deletedAtMs <= nowMs)) {",
  ],
  [
    "listed task passed over",
    "An export goes although the platform shows its task.",
    REMOVE,
    'if (presence !== "absent") {',
    'if (presence === "empty-list") {',
  ],
  [
    "deleted record not asked for",
    "An export goes although no list of a day ago had it gone from the platform.",
    VERDICT,
    'return { kind: "stays", reason: "not-deleted", keepUntilMs };',
    'return { kind: "due", rule: copies[0].rule, keepUntilMs, objects: distinctObjects(archived) };',
  ],
  [
    "empty list believed at last",
    "A list without any task lets an export go.",
    VERDICT,
    "if (list.tasks.length === 0) {",
    "if (list.tasks.length < 0) {",
  ],
  [
    "listed task recorded as gone",
    "A task that the list shows gets a deleted record.",
    "lib/retention/expire.ts",
    'presenceIn(list, one.exportTaskId) === "absent"',
    'presenceIn(list, one.exportTaskId) !== "empty-list"',
  ],
  [
    "expired.json not written",
    "An export is gone and nothing says why.",
    REMOVE,
    "!(await run.records.writeExpired(ledger, facts, run))",
    'facts.runId === ""',
  ],
  [
    "nothing asked after expired.json",
    "A lock that comes at the last moment is not seen.",
    REMOVE,
    "if (lateBlocker !== undefined) {",
    'if (lateBlocker === "unrecorded") {',
  ],
];

/** Small changes of retention, each of which the nights must see. I2: a recorded object goes by the rules only. */
export const RETENTION_BUGS: readonly PlantedBug[] = ROWS.map(([name, breaks, file, find, replace]) => ({
  ...{ name, breaks, file, find, replace },
  invariant: "I2",
}));
