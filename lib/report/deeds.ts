import { isExportTaskId } from "../domain/export-task.ts";
import { BATCH_TASK_ID } from "../domain/request-layout.ts";
import type { DeadLetterReason } from "../domain/task-message.ts";
import type { Finding, Night } from "./night.ts";

/** What a person does about a finding: commands to type, in this order, and where the runbook says more. */
export interface Deed {
  readonly commands: readonly string[];
  /** The anchor of a heading in docs/runbook.md. */
  readonly section: RunbookSection;
}

/** Headings of docs/runbook.md by their anchors. */
export const RUNBOOK_SECTIONS = [
  "dead-letters",
  "tasks-held",
  "no-completed-run",
  "system-failures",
  "no-archive",
  "another-archive",
  "archive-marker-unreadable",
  "exports-lost",
  "copies-damaged",
  "orphans",
  "verification-limit",
  "drill-failed",
  "expected-missing",
  "expected-empty",
  "fewer-than-usual",
  "no-inventory",
  "not-notified",
  "still-waiting",
  "dead-letter-reasons",
  "unreadable",
  "export-failed",
  "source-gone",
  "never-finished",
  "not-accepted",
  "too-large",
  "too-large-for-run",
  "max-attempts",
  "crash-loop",
  "left-alone",
] as const;
export type RunbookSection = (typeof RUNBOOK_SECTIONS)[number];

const PROGRAM = "iotda-archiver";
/** Failures with a section of their own. */
const FAILURE_SECTIONS = ["no-archive", "another-archive", "archive-marker-unreadable"] as const;

/** One word for a POSIX shell. A text that is not plain is quoted, so that the shell takes it as it is. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_][A-Za-z0-9_./:@%+,-]*$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function command(...words: readonly string[]): string {
  return [PROGRAM, ...words].join(" ");
}

/** Asks for an export of the batch task, where its id is one that the command takes. */
function requests(batchTaskId: string | undefined): readonly string[] {
  return batchTaskId !== undefined && BATCH_TASK_ID.test(batchTaskId)
    ? [command("request", optionless(batchTaskId))]
    : [];
}

/** An id may begin with a hyphen, which a command would take for an option. */
function optionless(id: string): string {
  return `${id.startsWith("-") ? "-- " : ""}${shellWord(id)}`;
}

/** What to do about a finding of this night. */
export function deedOf(finding: Finding, { exports }: Pick<Night, "exports">): Deed {
  const deed = (section: RunbookSection, ...commands: readonly string[]): Deed => ({ commands, section });
  switch (finding.kind) {
    case "loss-near": {
      // A run leaves an export that was given up as it is.
      const { standing } = exports.find((one) => one.exportTaskId === finding.exportTaskId) ?? {};
      const again = standing === "given-up" ? [redriving(finding.exportTaskId)] : [];
      return deed("tasks-held", ...again, command("run"));
    }
    case "lost": {
      const { batchTaskId } = exports.find((one) => one.exportTaskId === finding.exportTaskId) ?? {};
      return deed("exports-lost", ...requests(batchTaskId), ...dismissing(finding.exportTaskId));
    }
    case "given-up":
      return givenUpDeed(finding);
    case "damaged":
      return deed("copies-damaged", command("show", optionless(finding.exportTaskId)));
    case "system-failing": {
      const known = FAILURE_SECTIONS.find((section) => section === finding.failure.code);
      return deed(known ?? "system-failures", command("status"));
    }
    case "still-waiting":
      return deed("still-waiting", command("run"));
    case "expected-missing": {
      const again = requests(finding.batchTaskId);
      return deed("expected-missing", ...(again.length === 0 ? [command("list", "--since", "2d")] : again));
    }
    case "expected-empty":
      return deed("expected-empty", command("show", optionless(finding.exportTaskId)));
    case "fewer-than-usual":
      return deed("fewer-than-usual", command("list", "--since", "2d"));
    case "verification-late":
      return deed("verification-limit", command("inventory"));
    case "drill-failed": {
      const { exportTaskId } = finding;
      return deed(
        "drill-failed",
        command("restore", "--to", shellWord(`./${exportTaskId}.zip`), optionless(exportTaskId)),
      );
    }
    case "no-inventory":
      return deed("no-inventory", command("inventory"));
    case "slots-nearly-used":
      return deed("tasks-held", command("status"));
    case "expected-late":
      return deed("expected-missing");
    case "dead-letters":
      return deed("dead-letters", command("dead-letters", "list"));
    case "orphans":
      return deed("orphans", command("sweep"));
    case "left-alone":
      return deed("left-alone", command("status"));
    case "not-notified":
      return deed("not-notified", command("notify", "test"));
  }
}

/** What to do when no run ended in the night. */
export const NO_RUN_DEED: Deed = { commands: [command("run")], section: "no-completed-run" };

type GivenUp = Extract<Finding, { readonly kind: "given-up" }>;

/** How the dead letter of each reason is settled; the runbook's section has the name of the reason. */
const SETTLED_BY: Readonly<Record<DeadLetterReason, "request" | "redrive" | "list">> = {
  unreadable: "list",
  "export-failed": "request",
  "source-gone": "request",
  "never-finished": "redrive",
  "not-accepted": "list",
  "too-large": "redrive",
  "too-large-for-run": "redrive",
  "max-attempts": "redrive",
  "crash-loop": "redrive",
};

function givenUpDeed({ reason, exportTaskId, batchTaskId }: GivenUp): Deed {
  if (!isDeadLetterReason(reason)) {
    return { section: "dead-letter-reasons", commands: LISTING };
  }
  switch (SETTLED_BY[reason]) {
    case "request":
      return { section: reason, commands: [...dismissing(exportTaskId), ...requests(batchTaskId)] };
    case "redrive": {
      const now = reason === "too-large-for-run" ? [command("run")] : [];
      return {
        section: reason,
        commands: isExportTaskId(exportTaskId) ? [redriving(exportTaskId), ...now] : LISTING,
      };
    }
    case "list":
      return { section: reason, commands: LISTING };
  }
}

const LISTING = [command("dead-letters", "list")];

/** Ends the dead letter of an export that is asked for again. */
function dismissing(exportTaskId: string): readonly string[] {
  return [command("dead-letters", "dismiss", "--reason", "'asked for again'", optionless(exportTaskId))];
}

/** Moves the dead letter of an export back into the queue. */
function redriving(exportTaskId: string): string {
  return command("dead-letters", "redrive", optionless(exportTaskId));
}

function isDeadLetterReason(reason: string): reason is DeadLetterReason {
  return Object.hasOwn(SETTLED_BY, reason);
}
