import type { Finding } from "./night.ts";
import { ATTEMPT_WORDS, ERROR_WORDS } from "./reasons-en.ts";
import type { MomentParts, Said, Say, Texts } from "./texts.ts";

const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

import { PAGE_EN } from "./texts-en-page.ts";

/** `1 export`, `3 exports`. */
function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${n} ${n === 1 ? noun : plural}`;
}

function day({ year, month, day: date }: Omit<MomentParts, "time" | "weekday">): string {
  return `${date} ${MONTHS[month - 1] ?? ""}${year === undefined ? "" : ` ${year}`}`;
}

function finding(of: Finding, { at, full, reason, nowMs }: Say): Said {
  switch (of.kind) {
    case "loss-near":
      return {
        what: `Export ${of.exportTaskId} is not archived, and the platform may destroy it ${
          of.lossFromMs <= nowMs ? "at any time" : `from ${full(of.lossFromMs)} on`
        }`,
        advice: `${of.held} of ${of.limit} export slots are used: when all are, each new export destroys the oldest. Archive now, and make no more exports until then.`,
      };
    case "lost":
      return {
        what: `Export ${of.exportTaskId} is lost: it left the platform before it was archived (found ${at(of.atMs)})`,
        advice: "It cannot be brought back. Ask the platform for the same export again.",
      };
    case "given-up":
      return {
        what: `Export ${of.exportTaskId} was given up ${at(of.atMs)}: ${reason(of.reason)}${
          of.batchTaskId === undefined ? "" : ` (batch task ${of.batchTaskId})`
        }`,
        advice: givenUpAdvice(of.reason),
      };
    case "damaged":
      return {
        what: `The copy of export ${of.exportTaskId} is damaged: ${TEXTS_EN.damages[of.damage]} (revision ${of.revision})`,
        advice:
          "Keep what is left, and look at it. Where the platform still has the export, the next run archives it again.",
      };
    case "system-failing":
      return {
        what: `${count(of.runs, "run")} in a row failed since ${at(of.sinceMs)}: ${of.failure.message} (${of.failure.code})`,
        hint: of.failure.hint,
        advice: "Nothing is archived until it is over, and nothing is given up for it.",
      };
    case "still-waiting":
      return {
        what: `${count(of.count, "finished export")} waited a whole night; the oldest is ${of.exportTaskId}, since ${at(of.sinceMs)}`,
        advice:
          "No run archived it. Look whether runs reach it, and what its attempts failed with. Archive it now.",
      };
    case "expected-missing":
      return {
        what: `Expected exports were never made: ${of.rule} has ${of.found} of ${of.expected} due ${at(of.byMs)}${
          of.lastSeenMs === undefined ? "" : `; the last one was made ${at(of.lastSeenMs)}`
        }`,
        advice: "No archiver can make up for it. Look why, and ask for the export.",
      };
    case "expected-empty":
      return {
        what: `Export ${of.exportTaskId} of ${of.rule} has ${count(of.rows, "row")}, fewer than ${of.minRows}`,
        advice: "The platform made it so, and it is treated as any other. Look whether its batch task ran.",
      };
    case "fewer-than-usual":
      return {
        what: `Fewer exports than usual were made: ${of.found}, where ${of.median} are usual`,
        advice: "Look whether the batch tasks ran, and whether somebody asked for their exports.",
      };
    case "verification-late":
      return {
        what: `Copies stay unread for more than ${count(of.limitDays, "day")}${
          of.missedFromMs === undefined ? "" : `, from ${at(of.missedFromMs)} on`
        }`,
        advice: "The daily reading is too small for this archive. Raise its budget, or its limit.",
      };
    case "drill-failed":
      return {
        what: `The restore drill failed: export ${of.exportTaskId} could not be restored ${at(of.atMs)}`,
        advice: "Try the same by hand.",
      };
    case "no-inventory":
      return {
        what:
          of.lastMs === undefined
            ? "No inventory has ended yet"
            : `The last whole inventory is of ${at(of.lastMs)}, more than a day ago`,
        advice: "Damaged copies are found by the daily inventory alone.",
      };
    case "slots-nearly-used":
      return {
        what: `${of.held} of ${of.limit} export slots are used, all by exports with a copy`,
        advice: "Look why they are kept: a new export destroys the oldest when all slots are used.",
      };
    case "expected-late":
      return {
        what: `Exports of ${of.rule} were late: due ${at(of.byMs)}, made ${at(of.madeAtMs)}`,
        advice: "All are there. If it happens each night, give the rule a later time.",
      };
    case "dead-letters":
      return {
        what: `${count(of.count, "dead letter")} ${of.count === 1 ? "waits" : "wait"}`,
        advice: "Move each back into the queue, or dismiss it.",
      };
    case "orphans":
      return {
        what: `${count(of.count, "copy", "copies")} in the store ${of.count === 1 ? "has" : "have"} no record`,
        advice: "They cost storage and harm nothing.",
      };
    case "left-alone":
      return {
        what: `${count(of.count, "item")} could not be understood and ${of.count === 1 ? "was" : "were"} left alone`,
        advice: "Everything else went on.",
      };
    case "not-notified":
      return {
        what: `${of.target} could not be told since ${at(of.sinceMs)}`,
        advice: "Until then this page and the others who are told say it alone.",
      };
  }
}

function givenUpAdvice(reason: string): string {
  const known: Readonly<Record<string, string>> = TEXTS_EN.givenUp;
  return Object.hasOwn(known, reason) ? (known[reason] ?? "") : TEXTS_EN.givenUpOtherwise;
}

/** Every text in English. */
export const TEXTS_EN: Texts = {
  lang: "en",
  moments: {
    long: ({ weekday, time, ...date }) => `${WEEKDAYS[weekday] ?? ""} ${day(date)} ${time}`,
    brief: ({ time, ...date }) => `${day(date)} ${time}`,
    month: (month) => MONTHS[month - 1] ?? "",
    withOffset: (moment, offset) => `${moment} (${offset})`,
    date: ({ weekday, ...date }) => `${WEEKDAYS[weekday] ?? ""} ${day(date)}`,
  },
  comma: ", ",
  colon: ": ",
  stop: ". ",
  attemptReasons: ATTEMPT_WORDS,
  errorReasons: ERROR_WORDS,
  standings: {
    "given-up": "given up",
    waiting: "waiting",
    retried: "tried again later",
    "archived-kept": "archived, kept",
    "archived-deleted": "archived, deleted",
    deleted: "deleted",
  },
  stops: {
    drained: "nothing was left to do",
    "time-budget": "its time was up",
    "system-failure": "system failure",
    aborted: "interrupted",
    "no-pressure": "few slots were used",
  },
  damages: {
    missing: "the object is gone from the store",
    resized: "the object has another size than recorded",
    changed: "its bytes are not the recorded ones",
    "unreadable-record": "its record cannot be read",
  },
  givenUp: {
    unreadable: "The message names no export. Correct the program that sent it, then dismiss the letter.",
    "export-failed":
      "Delete the failed task in the console, dismiss the letter, and ask for the export again.",
    "source-gone": "It cannot be brought back. Ask the platform for the same export again.",
    "never-finished": "Look at it in the console. Once it is finished, try again.",
    "not-accepted": "Download it in the console, and look at what the platform sends.",
    "too-large": "Raise ARCHIVER_PART_SIZE_BYTES, then try again.",
    "too-large-for-run": "Try again, and archive it on a machine without a time limit.",
    "max-attempts": "Look at the detail of its dead letter, then try again.",
    "crash-loop": "Give the archiver more memory, then try again.",
  },
  givenUpOtherwise: "Look at the detail of its dead letter.",
  verdict: {
    words: { act: "ACT", none: "NO RUN", look: "LOOK", ok: "OK", unreported: "no report" },
    actBefore: (moment) => `ACT before ${moment}`,
    actNow: "ACT NOW",
    noRun: (last) => (last === undefined ? "NO RUN yet" : `NO RUN since ${last}`),
    safe: (archived, finished) =>
      finished === 0 ? "no export was to be archived" : `${archived} of ${count(finished, "export")} safe`,
    more: (more) => `${more} more`,
  },
  short: {
    "loss-near": (n) => (n === 1 ? "an export may be lost" : `${n} exports may be lost`),
    lost: (n) => `${count(n, "export")} lost`,
    "given-up": (n) => `${count(n, "export")} given up`,
    damaged: (n) => `${count(n, "copy", "copies")} damaged`,
    "system-failing": () => "runs fail",
    "still-waiting": (n) => `${count(n, "export")} waiting too long`,
    "expected-missing": () => "expected exports missing",
    "expected-empty": (n) => `${count(n, "export")} nearly empty`,
    "fewer-than-usual": () => "fewer exports than usual",
    "verification-late": () => "copies unread for too long",
    "drill-failed": () => "restore drill failed",
    "no-inventory": () => "no inventory for a day",
    "slots-nearly-used": () => "export slots nearly used",
    "expected-late": () => "exports late",
    "dead-letters": (n) => count(n, "dead letter"),
    orphans: (n) => count(n, "orphan"),
    "left-alone": (n) => `${count(n, "item")} left alone`,
    "not-notified": (n) => `${count(n, "target")} not told`,
  },
  finding,
  noRun: (last) => ({
    what:
      last === undefined ? "No run has ended yet" : `No run ended in this night; the last one ended ${last}`,
    advice: "Nothing was archived. Look at the timer and at what it starts, and run it by hand.",
  }),
  digest: {
    needs: (n) => `${n} ${n === 1 ? "thing needs" : "things need"} you:`,
    nothingToDo: "There is nothing to do.",
    watch: "Watch",
    more: (n) => `and ${n} more, on the page`,
    numbers: ({ archived, finished, deleted, kept, givenUp, waiting, retried, size, keptFor }) =>
      [
        `Archived ${archived} of ${finished} (${size})`,
        `deleted ${deleted}`,
        `kept ${kept}${keptFor === "" ? "" : ` (${keptFor})`}`,
        ...(givenUp === 0 ? [] : [`given up ${givenUp}`]),
        ...(waiting === 0 ? [] : [`waiting ${waiting}`]),
        ...(retried === 0 ? [] : [`to be tried again ${retried}`]),
      ].join(", "),
    runbook: (section) => `runbook, "${section}"`,
    page: "Page",
    copies: "Copies",
    urgent: "This could not wait for the report of the night.",
  },
  unknown: {
    platform: "The platform could not be asked",
    queue: "The task queue could not be asked",
  },
  slots: {
    used: (held, limit, archived) => {
      const used = `${held} of ${limit} export slots used`;
      if (archived === undefined || held === 0) {
        return used;
      }
      const part = archived === held ? "all" : archived === 0 ? "none" : `${archived} of them`;
      return `${used} (${part} by exports with a copy)`;
    },
    unknown: "How many export slots are used is not known",
    seen: (slots, moment) => `${slots}${slots === "" ? "" : ", "}last seen ${moment}`,
    full: ({ least, usual }) => {
      const days = least === usual ? `about ${usual}` : `${least} to ${usual}`;
      return `if nothing is deleted, full in ${usual < 1 ? "less than a day" : `${days} days`}`;
    },
  },
  copies: {
    kept: (oldest, limit) =>
      `each read again within ${count(limit, "day")}; unread longest: ${count(oldest, "day")}`,
    late: (oldest, limit) =>
      `unread longest: ${count(oldest, "day")}; the limit of ${limit} will not be kept`,
    unknown: "not known without an inventory",
  },
  scope: ({ project, instance }) =>
    `project ${project}, ${instance === undefined ? "default instance" : `instance ${instance}`}`,
  page: PAGE_EN,
  window: (from, to) => `${from} to ${to}`,
};
