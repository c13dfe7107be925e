import type { Finding, Seen } from "./evidence.ts";
import { readFileHeaders, readPayload, readRedirect } from "./read-file.ts";
import {
  readCreateTime,
  readFileLifetime,
  readMarker,
  readOffsetCode,
  readRunningEndTime,
} from "./read-list.ts";
import { readSameCondition, readThrottling, readUnfinishedFile, readUnknownTask } from "./read-refusals.ts";

/** What a question costs the platform. What is free is read from requests that are sent anyway. */
export type Cost = "free" | "list" | "download" | "export";

interface AnyQuestion {
  /** As in `(unverified: id)` of docs/iotda-api.md. */
  readonly id: string;
  /** The sections of docs/iotda-api.md that have the mark. */
  readonly sections: readonly string[];
  readonly question: string;
  /** What the program does for want of an answer, or would do with one. */
  readonly why: string;
  /** How it is asked, or why the probe cannot ask it. */
  readonly how: string;
}

/** One fact that docs/iotda-api.md marks as unverified. */
export type Question = AnyQuestion &
  (
    | { readonly isAsked: true; readonly cost: Cost; readonly read: (seen: Seen) => Finding }
    | { readonly isAsked: false }
  );

/** Every unverified fact, in the order of the page. A test compares this table with docs/iotda-api.md. */
export const QUESTIONS: readonly Question[] = [
  {
    id: "marker",
    sections: ["1.4"],
    question: "Does the list's marker equal an `export_task_id`?",
    why: "The program treats both as opaque.",
    how: "one list page; its marker and the id of its last task are compared",
    ...asked("list", readMarker),
  },
  {
    id: "end-time",
    sections: ["1.5"],
    question: "Is `end_time` absent while a task runs?",
    why: "The revision of an export is made of its end time.",
    how: "read from every task that a list or the create answer shows as `Processing`",
    ...asked("free", readRunningEndTime),
  },
  {
    id: "create-time",
    sections: ["1.5"],
    question: "Which format and precision have `create_time` and `end_time`?",
    why: "The oldest export is archived first, and a changed time is a new revision.",
    how: "read from the times of all listed tasks, and of the export that the probe has made",
    ...asked("free", readCreateTime),
  },
  {
    id: "unfinished-limit",
    sections: ["1.6", "2.2"],
    question: "Which error does a create beyond five unfinished exports return?",
    why: "A refused create must be told from one that may be tried again.",
    how: "it needs six exports, and the probe makes one",
    isAsked: false,
  },
  {
    id: "limit-scope",
    sections: ["1.6"],
    question: 'Is a "user" the account, the IAM user, the project or the instance?',
    why: "Deployments that share a limit must share a pace.",
    how: "it needs a second user, project or instance",
    isAsked: false,
  },
  {
    id: "failed-download",
    sections: ["1.6"],
    question: "Does a refused or failed download use up the 30 s?",
    why: "The program waits after every download, failed or not.",
    how: "it needs a second download within 30 s, and the probe keeps the pace: a run may be under way",
    isAsked: false,
  },
  {
    id: "pace-refusal",
    sections: ["1.6"],
    question: "Which error does the 30 s rule return?",
    why: "Throttling must be told from a missing permission.",
    how: "only read where a request is throttled anyway; the probe does not provoke it",
    ...asked("free", readThrottling),
  },
  {
    id: "same-condition",
    sections: ["1.6"],
    question: "Does a create with the same condition keep the old id?",
    why: "It may overwrite an export that is not archived.",
    how: "one export of `--batch-task`, where the platform holds an archived one of it; then a list",
    ...asked("export", readSameCondition),
  },
  {
    id: "overwritten-download",
    sections: ["1.6"],
    question: "What does such a create do to a download under way?",
    why: "A body must not be made of two files.",
    how: "it needs a download and a create at the same time, and a file that takes long",
    isAsked: false,
  },
  {
    id: "file-lifetime",
    sections: ["1.6"],
    question: "How long does a `Success` file stay?",
    why: "An export that is kept may vanish without being evicted.",
    how: "read from the oldest finished export of the list, which is a lower limit",
    ...asked("free", readFileLifetime),
  },
  {
    id: "largest-file",
    sections: ["1.6"],
    question: "What is the largest file?",
    why: "A copy has up to 10,000 parts.",
    how: "one file says nothing about the largest",
    isAsked: false,
  },
  {
    id: "file-headers",
    sections: ["1.6", "1.7"],
    question: "Which headers does the file answer have?",
    why: "A length or a digest would prove a body whole.",
    how: "the first 64 KiB of a finished export, in a download slot",
    ...asked("download", readFileHeaders),
  },
  {
    id: "redirect",
    sections: ["1.6"],
    question: "Can the file answer be a redirect?",
    why: "The program refuses redirects.",
    how: "read from the same download",
    ...asked("free", readRedirect),
  },
  {
    id: "payload",
    sections: ["1.7"],
    question: "Is the file in the ZIP true BIFF or renamed?",
    why: "Who restores an export must know what opens it.",
    how: "read from the same download",
    ...asked("free", readPayload),
  },
  {
    id: "offset-code",
    sections: ["2.2"],
    question: "Is `IOTDA.000018` the code for an offset out of range?",
    why: "It completes the error table.",
    how: "one list page with the offset 501",
    ...asked("list", readOffsetCode),
  },
  {
    id: "unknown-task",
    sections: ["2.2"],
    question: "Which status and code does a download of an unknown id return?",
    why: "It is part of the proof that an export is lost.",
    how: "a download of an id of no task, in a download slot; the probe sends no delete",
    ...asked("download", readUnknownTask),
  },
  {
    id: "unfinished-file",
    sections: ["2.2"],
    question: "Which status and code does a download of a `Processing` or `Failed` task return?",
    why: "It must not be taken for a lost export.",
    how: "a download of such a task, in a download slot, where the list shows one",
    ...asked("download", readUnfinishedFile),
  },
  {
    id: "permission-first",
    sections: ["2.2"],
    question: "Does the platform check the permission before it looks for the id?",
    why: "`doctor` asks for the permission to delete with an id of no task.",
    how: "it needs a key without the permission",
    isAsked: false,
  },
  {
    id: "backend-status",
    sections: ["2.2"],
    question: "Which status comes with `APIGW.0201`?",
    why: "It is transient whatever its status is.",
    how: "it comes when the platform's backend fails, which no request brings about",
    isAsked: false,
  },
  {
    id: "throttling-codes",
    sections: ["2.2"],
    question: "Does the application side use `IOTDA.021101` and `IOTDA.021102`?",
    why: "The program waits one or two intervals by them.",
    how: "only read where a request is throttled anyway; the probe does not provoke it",
    ...asked("free", readThrottling),
  },
  {
    id: "token-lifetime",
    sections: ["3.4"],
    question: "How long is an IAM token valid for this service?",
    why: "Long runs would outlive it.",
    how: "the program uses no such token",
    isAsked: false,
  },
  {
    id: "obs-create-once",
    sections: ["5.2"],
    question: "Does `x-obs-forbid-overwrite` work with AWS signatures and with versions?",
    why: "Runs could share the pace on OBS.",
    how: "it is a question to OBS, and the probe asks IoTDA alone",
    isAsked: false,
  },
  {
    id: "obs-payload-hash",
    sections: ["5.2"],
    question: "How does OBS answer a payload header with a hex SHA-256?",
    why: "A body of known length could be signed.",
    how: "it is a question to OBS, and the probe asks IoTDA alone",
    isAsked: false,
  },
  {
    id: "event-delivery",
    sections: ["6"],
    question: "How reliably does the platform deliver events?",
    why: "A timer stays the authority.",
    how: "it needs months of events",
    isAsked: false,
  },
];

function asked(cost: Cost, read: (seen: Seen) => Finding) {
  return { isAsked: true, cost, read } as const;
}
