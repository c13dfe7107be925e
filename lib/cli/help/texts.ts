import { GROUPS } from "../../doctor/check.ts";
import { COPY_TEXTS } from "./copy-texts.ts";
import type { HelpText } from "./help.ts";

/** The help of each command, by its words; the program's own under the empty text. Examples take 78 columns at most. */
export const HELP_TEXTS: Readonly<Record<string, HelpText>> = {
  "": {
    more: ["Settings come from the environment, or from a file with --config."],
    exitCodes: [
      ["0", "Done"],
      [
        "1",
        "Failed, or a system failure stopped the run (it counts against no task), or doctor found what is broken",
      ],
      ["2", "Wrong usage or configuration; nothing was done"],
      [
        "3",
        "Done, but this run dead-lettered a task, or verify, inventory, report or doctor found something to look at",
      ],
      ["130", "Interrupted; unfinished tasks went back to the queue"],
    ],
    examples: [
      "iotda-archiver init --config archiver.env      # the first step",
      "iotda-archiver doctor --config archiver.env    # is it set up right?",
      "iotda-archiver run --config archiver.env       # each night",
      "iotda-archiver report --config archiver.env    # each morning",
    ],
  },
  init: {
    more: [
      "At a terminal it asks for the settings that are missing, writes them into a file for its owner alone, has the doctor look at all of it, and says what starts the runs. With --yes, --json or --adopt it asks nothing.",
      "It writes archive.json, and the queue remembers its id. From then on every command opens the archive first, and does nothing where it finds none or another one.",
    ],
    examples: [
      "iotda-archiver init    # at a terminal it asks for all it needs",
      "iotda-archiver init --yes --config archiver.env",
      "iotda-archiver init --adopt --config archiver.env    # the archive has moved",
    ],
  },
  run: {
    more: [
      "With --plan, an export that is not in the plan is skipped and named. So is one whose revision, holds or records have changed since. No export is made for a request.",
    ],
    exitCodes: [
      ["0", "Done"],
      ["1", "A system failure stopped the run; it counts against no task"],
      ["3", "Done, but this run dead-lettered a task"],
      ["130", "Interrupted; unfinished tasks went back to the queue"],
    ],
    examples: [
      "iotda-archiver run --config archiver.env",
      "iotda-archiver run --max-minutes 29     # a run of every half hour",
      "iotda-archiver run --plan plan.json     # at most what plan --out wrote",
    ],
  },
  plan: {
    more: [
      "It lists and reads, takes no download slot, and changes nothing. Each export is shown with what a run would do if nothing else changed.",
    ],
    examples: [
      "iotda-archiver plan",
      "iotda-archiver plan --out plan.json     # then: run --plan plan.json",
      "iotda-archiver plan --json",
    ],
  },
  discover: {
    more: ["It also creates the exports that were requested. A run does the same at its start."],
    exitCodes: [
      ["0", "Done"],
      ["1", "A system failure stopped it, or the creation of requested exports"],
    ],
    examples: ["iotda-archiver discover", "iotda-archiver discover --json"],
  },
  archive: {
    more: [
      "It does not look for new exports: discover does that. It ends when the queue hands out nothing more.",
    ],
    exitCodes: [
      ["0", "Done"],
      ["1", "A system failure stopped the run; it counts against no task"],
      ["3", "Done, but this run dead-lettered a task"],
      ["130", "Interrupted; unfinished tasks went back to the queue"],
    ],
    examples: [
      "iotda-archiver archive --max-minutes 14",
      "iotda-archiver archive --under-pressure    # by day: only when slots run out",
    ],
  },
  request: {
    more: [
      "The next discover run creates the export, when enough export slots are free. A later run archives it. status shows open requests.",
    ],
    examples: ["iotda-archiver request 5f2d9c3a1b2c3d4e5f6a7b8c"],
  },
  status: {
    more: [
      "It begins with the last run and the last night, and says when an export may be lost. It shows all that it can know when platform, store or queue does not answer.",
    ],
    exitCodes: [
      ["0", "Platform, store and queue answered"],
      ["1", "One of them did not"],
    ],
    examples: ["iotda-archiver status", "iotda-archiver status --json"],
  },
  doctor: {
    more: [
      "It changes nothing, takes no download slot, and ends within five seconds. Under what fails stand the cause, one remedy, and the page that says more.",
      `The groups are ${GROUPS.join(", ")}.`,
    ],
    list: {
      heading: "Marks:",
      rows: [
        ["√", "It is well"],
        ["–", "It could not be asked, or proves nothing"],
        ["‼", "It works, but something will hurt"],
        ["×", "It is broken"],
      ],
    },
    exitCodes: [
      ["0", "All is well"],
      ["1", "Something is broken"],
      ["3", "It works, but something will hurt"],
    ],
    examples: [
      "iotda-archiver doctor --config archiver.env",
      "iotda-archiver doctor --only platform,store --config archiver.env",
      "iotda-archiver doctor --json --config archiver.env",
    ],
  },
  probe: {
    more: [
      "It asks the questions that docs/iotda-api.md marks as unverified: by lists, at most three downloads in the slots that all runs share, and one export where --batch-task names a batch task. It deletes nothing; the next run archives its export. The answers are Markdown without secrets, to be pasted into an issue.",
    ],
    exitCodes: [
      ["0", "Every question that was asked got an answer"],
      ["1", "The probe was refused, or could not begin; nothing was created or downloaded"],
      ["3", "A question was asked and got no answer"],
      ["130", "Interrupted; the answers so far are printed, with what is left on the platform"],
    ],
    examples: [
      "iotda-archiver probe --config archiver.env           # what it would ask",
      "iotda-archiver probe --live --config archiver.env",
      "iotda-archiver probe --live --batch-task 5f2d9c3a1b2c3d4e5f6a7b8c > sheet.md",
    ],
  },
  sweep: {
    more: ["It brings the catalogue up to date as inventory does, and reads no copy."],
    exitCodes: [
      ["0", "Done"],
      ["1", "A system failure stopped it"],
    ],
    examples: ["iotda-archiver sweep", "iotda-archiver sweep --remove-orphans"],
  },
  "dead-letters": {
    examples: ["iotda-archiver dead-letters", "iotda-archiver dead-letters redrive --all"],
  },
  "dead-letters list": {
    examples: ["iotda-archiver dead-letters list", "iotda-archiver dead-letters list --limit 500 --json"],
  },
  "dead-letters redrive": {
    more: ["Name the letters, or give --all."],
    exitCodes: [
      ["0", "Every letter was moved"],
      ["1", "There is no letter with one of the ids; the others were moved"],
    ],
    examples: ["iotda-archiver dead-letters redrive 3 7", "iotda-archiver dead-letters redrive --all"],
  },
  "dead-letters dismiss": {
    more: [
      "It deletes no export task and no copy. The store keeps who dismissed the letters, when, and why.",
    ],
    exitCodes: [
      ["0", "Every letter was removed"],
      ["1", "There is no letter with one of the ids; the others were removed"],
    ],
    examples: ["iotda-archiver dead-letters dismiss 3 --reason 'made again by hand'"],
  },
  report: {
    more: [
      "The page lies in the store: reports/latest.html, and reports/<year>/<month>/<day>.html for each night. A night is told once, however often its report is made, and once more when its verdict got worse.",
    ],
    exitCodes: [
      ["0", "The night was well"],
      ["1", "The report could not be made"],
      ["3", "Somebody has to look"],
    ],
    examples: [
      "iotda-archiver report",
      "iotda-archiver report --open",
      "iotda-archiver report --night 2026-11-27 --out night.html",
    ],
  },
  notify: {
    examples: ["iotda-archiver notify test"],
  },
  "notify test": {
    more: ["The ping counts as one of a good run. What a receiver answers is not shown; its status code is."],
    exitCodes: [
      ["0", "All were taken"],
      ["1", "One was not taken"],
    ],
    examples: ["iotda-archiver notify test", "iotda-archiver notify test --json"],
  },
  ...COPY_TEXTS,
};
