import type { HelpText } from "./help.ts";

/** The help of the commands about archived copies, by their words. */
export const COPY_TEXTS: Readonly<Record<string, HelpText>> = {
  retention: {
    more: ["The policy is the one of ARCHIVER_RETENTION_POLICY."],
    examples: ["iotda-archiver retention", "iotda-archiver retention sweep"],
  },
  "retention plan": {
    examples: ["iotda-archiver retention plan", "iotda-archiver retention plan --json"],
  },
  "retention sweep": {
    more: ["It removes nothing."],
    examples: ["iotda-archiver retention sweep"],
  },
  "retention expire": {
    more: [
      "One run removes as many exports as ARCHIVER_EXPIRE_MAX_REMOVALS says. It removes none that is held or locked.",
    ],
    examples: ["iotda-archiver retention plan      # look first", "iotda-archiver retention expire"],
  },
  hold: {
    examples: [
      "iotda-archiver hold",
      "iotda-archiver hold add 'night-*' --reason 'audit until spring'",
      "iotda-archiver hold remove 'night-*' --reason 'the audit is over'",
    ],
  },
  "hold list": {
    examples: ["iotda-archiver hold list", "iotda-archiver hold list --json"],
  },
  "hold add": {
    more: [
      "In a glob, * stands for any characters and ? for one. It holds exports of the future too. The command says how many archived exports match.",
    ],
    examples: [
      "iotda-archiver hold add 5f2d9c3a1b2c3d4e5f6a7b8c --reason 'ticket 4711'",
      "iotda-archiver hold add 'night-*' --reason 'audit' --by ann",
    ],
  },
  "hold remove": {
    exitCodes: [
      ["0", "The hold was removed"],
      ["1", "There was no such hold"],
    ],
    examples: ["iotda-archiver hold remove 'night-*' --reason 'the audit is over'"],
  },
  verify: {
    exitCodes: [
      ["0", "Every copy that was read is as its record says"],
      ["1", "A copy could not be read, or a system failure stopped the command"],
      ["3", "A copy is damaged, or an archive older than two days has nothing to read"],
    ],
    examples: [
      "iotda-archiver verify --sample 10%",
      "iotda-archiver verify --all",
      "iotda-archiver verify --due",
    ],
  },
  inventory: {
    more: [
      "It reads copies again that are due, and enqueues what can be archived again. It removes nothing. Run it once a day.",
    ],
    exitCodes: [
      ["0", "Done, and all is in order"],
      ["1", "A system failure stopped it"],
      [
        "3",
        "It found damage, orphans or what it cannot understand; or its time was too short, copies will not be read in time, or a drill failed",
      ],
    ],
    examples: ["iotda-archiver inventory", "iotda-archiver inventory --max-minutes 60"],
  },
  list: {
    more: ["Times are in UTC. A date with --until includes that day."],
    list: {
      heading: "States:",
      rows: [
        ["kept", "Archived; its task is still on the platform"],
        ["deleted", "Archived; its task is deleted from the platform, and the copy is here"],
        ["expired", "The retention policy has removed the copy"],
        ["damaged", "The last inventory found the copy missing or changed"],
      ],
    },
    examples: [
      "iotda-archiver list --since 7d",
      "iotda-archiver list --batch-task 5f2d9c3a1b2c3d4e5f6a7b8c",
      "iotda-archiver list --since 2026-11-01 --until 2026-11-30 --csv > nov.csv",
      "iotda-archiver list --state damaged --json",
    ],
  },
  find: {
    examples: [
      "iotda-archiver find 9c3a1b        # any part of an id",
      "iotda-archiver find 2026/11/21    # the day of the export, as in its key",
      "iotda-archiver find line-4        # a word of the filter of the export",
    ],
  },
  show: {
    examples: ["iotda-archiver show 5f2d9c3a1b2c3d4e5f6a7b8c"],
  },
  restore: {
    more: [
      "The file appears only when every byte is proved. With --to - the bytes are proved at their end: use them only when the exit code is 0.",
    ],
    examples: [
      "iotda-archiver restore 5f2d9c3a1b2c3d4e5f6a7b8c --to export.zip",
      "iotda-archiver restore --batch-task 5f2d9c3a1b2c3d4e5f6a7b8c --latest --to .",
      "iotda-archiver restore 5f2d9c3a1b2c3d4e5f6a7b8c --to - > export.zip",
    ],
  },
};
