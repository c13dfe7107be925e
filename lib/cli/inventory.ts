import type { Damage } from "../catalogue/damage.ts";
import { type InventoryReport, inventory } from "../catalogue/inventory.ts";
import type { InventoryEvent } from "../catalogue/ports.ts";
import type { RepairReport } from "../catalogue/repair.ts";
import { verifyDue } from "../catalogue/verify-due.ts";
import { ConfigurationError } from "../config/errors.ts";
import { compact } from "../domain/compact.ts";
import { formatBytes } from "../domain/format-bytes.ts";
import { leftAloneInWords } from "../domain/left-alone.ts";
import { count } from "./format.ts";
import { failureLines, isLive, type Line, lines, operatorLines, type Result, red } from "./output.ts";
import { EXIT, type ExitCode } from "./process.ts";
import { repairLines } from "./repair-lines.ts";
import { DAMAGE_ADVICE } from "./retention-lines.ts";
import { type CommonOptions, type InventorySession, withInventory } from "./session.ts";
import { asksForAttention, verificationLines } from "./verification-lines.ts";

const MINUTE_MS = 60_000;
/** In a log, one line stands for this many. */
const PROGRESS_EVERY = 10_000;
/** What stands on the terminal's last line is removed. */
const CLEAR_LINE = "\r\u001b[K";
const MAX_SHOWN = 20;

interface InventoryOptions extends CommonOptions {
  readonly maxMinutes?: number;
}

/** `inventory`: brings the catalogue up to date, reads copies again, and says what is damaged and what no record names. */
export async function inventoryCommand({ maxMinutes, ...options }: InventoryOptions): Promise<Result> {
  const limitMs = maxMinutes === undefined ? undefined : maxMinutes * MINUTE_MS;
  const report = await showingInventory((observe) =>
    withInventory(options, observe, (session) => inventoryWithRepair(session, limitMs)),
  );
  return { document: report, lines: inventoryLines(report), exitCode: exitCodeOf(report) };
}

/** An inventory, and what came of damaged copies whose task is still on the platform. */
type RepairedInventory = InventoryReport & { readonly repair?: RepairReport };

async function inventoryWithRepair(
  { ports, settings, repair, news, signal }: InventorySession,
  limitMs?: number,
): Promise<RepairedInventory> {
  const report = await inventory(ports, settings, { signal, limitMs });
  await news.ofInventory(report);
  return { ...report, ...compact({ repair: await repair(report, { signal }) }) };
}

/**
 * `verify --due`: reads the copies that are due now. Where there is no catalogue of the last day, an inventory does it.
 * @throws ConfigurationError when no copy is ever due.
 */
export async function verifyDueCommand(options: CommonOptions): Promise<Result> {
  const report = await showingInventory((observe) =>
    withInventory(options, observe, async (session) => {
      const { ports, settings, signal } = session;
      if (settings.verifyWithinDays === 0) {
        throw neverDue();
      }
      const due = await verifyDue(ports, settings, { signal });
      if (due === undefined) {
        const message =
          "There is no catalogue of the last 26 hours: an inventory makes it and reads what is due.";
        observe({ kind: "warning", code: "no-catalogue", message });
      }
      return due ?? (await inventoryWithRepair(session));
    }),
  );
  if ("counts" in report) {
    return { document: report, lines: inventoryLines(report), exitCode: exitCodeOf(report) };
  }
  const { failure, damage, verification, stopReason } = report;
  const isWell = damage.length === 0 && stopReason === "done" && !asksForAttention(verification);
  return {
    document: report,
    lines:
      failure === undefined
        ? lines(damageLines(damage, damage.length), verificationLines(verification))
        : failureLines(failure, "Failed: ", red),
    exitCode: failure !== undefined ? EXIT.failed : isWell ? EXIT.done : EXIT.damaged,
  };
}

function neverDue(): ConfigurationError {
  const problem = "is 0, so no copy is ever due";
  const fix = "Set it to a number of days, or run verify with --sample or --all.";
  return new ConfigurationError([{ name: "ARCHIVER_VERIFY_WITHIN_DAYS", problem, fix }]);
}

function exitCodeOf(report: RepairedInventory): ExitCode {
  const { failure, stopReason, counts, leftAlone, verification, repair } = report;
  if (failure !== undefined || repair?.failure !== undefined) {
    return EXIT.failed;
  }
  const isSound =
    counts.damaged + counts.orphans === 0 && leftAlone === undefined && !asksForAttention(verification);
  return isSound && stopReason === "done" ? EXIT.done : EXIT.damaged;
}

const STEP_WORDS: Readonly<Record<Extract<InventoryEvent, { kind: "progress" }>["step"], string>> = {
  catalogue: "lines of the catalogue",
  objects: "objects listed",
  records: "records listed",
  months: "months of the catalogue",
  copies: "copies read",
};

/** While `work` runs, shows warnings as lines; progress on a terminal's last line, else a line now and then. */
export async function showingInventory<T>(
  work: (observe: (event: InventoryEvent) => void) => Promise<T>,
): Promise<T> {
  const say = await operatorLines();
  const isTerminal = isLive(process.stderr);
  const clear = () => {
    if (isTerminal) {
      process.stderr.write(CLEAR_LINE);
    }
  };
  const observe = (event: InventoryEvent) => {
    switch (event.kind) {
      case "warning":
        clear();
        say(event.message);
        return;
      case "progress":
        if (isTerminal && event.done > 0) {
          process.stderr.write(`${CLEAR_LINE}${event.done} ${STEP_WORDS[event.step]}`);
        } else if (event.done > 0 && event.done % PROGRESS_EVERY === 0) {
          say(`${event.done} ${STEP_WORDS[event.step]}`);
        }
        return;
      case "damage":
        // The report names it.
        return;
    }
  };
  try {
    return await work(observe);
  } finally {
    clear();
  }
}

const DAMAGE_WORDS: Readonly<Record<Damage["kind"], string>> = {
  missing: "MISSING",
  resized: "OF ANOTHER SIZE",
  changed: "CHANGED",
  "unreadable-record": "RECORD UNREADABLE",
};

function damageLines(damage: readonly Damage[], total: number): readonly Line[] {
  return lines(
    damage
      .slice(0, MAX_SHOWN)
      .map(({ exportTaskId, revision, kind, key }) =>
        red(`${exportTaskId}, revision ${revision}: ${DAMAGE_WORDS[kind]}: ${key}`),
      ),
    total > MAX_SHOWN &&
      `${count(total, "export")} damaged in all: "iotda-archiver list --state damaged" shows them.`,
    total > 0 && DAMAGE_ADVICE,
  );
}

function inventoryLines(report: RepairedInventory): readonly Line[] {
  const { counts, damage, orphans, leftAlone, verification, stopReason, failure } = report;
  if (failure !== undefined) {
    return lines(
      "The inventory ended early: a failure of the system stopped it.",
      failureLines(failure, "  "),
    );
  }
  return lines(
    `${count(counts.exports, "export")} in the catalogue; the records of ${counts.read} were read, ${count(counts.objects, "object")} listed.`,
    damageLines(damage, counts.damaged),
    report.repair && repairLines(report.repair),
    orphans
      .slice(0, MAX_SHOWN)
      .map(({ key, sizeBytes }) => `Orphan, which no record names: ${key} (${formatBytes(sizeBytes)})`),
    counts.orphans > MAX_SHOWN && `${counts.orphans} orphans in all; --json names up to 1,000.`,
    counts.orphans > 0 &&
      'Next: "iotda-archiver sweep" says of each orphan whether it is the only copy, and removes those that are not with --remove-orphans.',
    report.abortedUploads.length > 0 &&
      `${count(report.abortedUploads.length, "upload")} older than a day ended.`,
    leftAlone?.items.map((item) => `Left alone: ${leftAloneInWords(item)}`),
    verificationLines(verification),
    counts.damaged + counts.orphans === 0 &&
      stopReason === "done" &&
      "Nothing is damaged, and nothing lies there that no record names.",
    stopReason === "time-budget" &&
      "The time was over before all records were read. The next inventory goes on where this one ended.",
  );
}
