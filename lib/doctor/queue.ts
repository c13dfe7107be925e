import type { OpenedArchive } from "../identity/open-archive.ts";
import { broken, type Check, type CheckResult, type Finding, hurts, judged, unknown, well } from "./check.ts";
import { type Asked, type Interview, unanswered, unansweredBehind } from "./interview.ts";
import type { QueueLook, QueuePort } from "./ports.ts";
import { inHours } from "./words.ts";

/** Three tries to settle a message fit into this: with less, a slow answer loses the message to another runner. */
const LEAST_VISIBILITY_MS = 15_000;
/** A whole night has passed a message by that is ready for longer. */
const LONGEST_READY_MS = 26 * 3_600_000;
/** SQS keeps messages for so long at most. */
const LETTERS_KEPT_MS = 14 * 24 * 3_600_000;

const CANNOT_BE_USED = "the queue cannot be used";

export interface QueueFacts extends Pick<QueuePort, "kind" | "visibilityMs" | "taskTimeoutMs"> {
  readonly look: Asked<QueueLook>;
  readonly nowMs: number;
}

const CHECKS: readonly Check<QueueFacts>[] = [
  { id: "queue-use", documentation: "docs/runbook.md#system-failures", judge: ofUse },
  {
    id: "queue-archive",
    documentation: "docs/architecture.md#9-archive-identity",
    judge: ({ look, kind }) => {
      const archiveId = look.kind === "told" ? look.value.archiveId : undefined;
      // That it is the archive in the store is said by the check of the store.
      return kind === "sqlite" && archiveId !== undefined
        ? well(`the queue remembers archive ${archiveId}`)
        : undefined;
    },
  },
  {
    id: "queue-visibility",
    documentation: "docs/architecture.md#time",
    judge: ({ visibilityMs, taskTimeoutMs }) => {
      const text = `a message stays hidden for ${visibilityMs / 1_000} s`;
      if (visibilityMs < LEAST_VISIBILITY_MS) {
        return hurts(
          `${text}: a slow answer of the queue hands it to a second runner`,
          "Set ARCHIVER_VISIBILITY_MS to 120000, or remove it.",
        );
      }
      return visibilityMs > taskTimeoutMs
        ? hurts(
            `${text}, longer than one attempt may take (${taskTimeoutMs / 1_000} s): after a crash its export waits that long`,
            "Set ARCHIVER_VISIBILITY_MS to 120000, or remove it.",
          )
        : well(`${text}, and runs renew that`);
    },
  },
  {
    id: "queue-dead-letters",
    documentation: "docs/runbook.md#dead-letters",
    judge: ({ look }) => {
      if (look.kind !== "told") {
        return unansweredBehind("dead letters", look, CANNOT_BE_USED);
      }
      const { deadLetters } = look.value;
      return deadLetters === 0
        ? well("there are no dead letters")
        : hurts(
            `${deadLetters === 1 ? "1 dead letter waits" : `${deadLetters} dead letters wait`} for a person`,
            "iotda-archiver dead-letters list",
          );
    },
  },
  {
    id: "queue-age",
    documentation: "docs/runbook.md#no-completed-run",
    judge: ({ look, nowMs, kind }) => {
      if (look.kind !== "told") {
        return unansweredBehind("the age of messages", look, CANNOT_BE_USED);
      }
      const { messages, readySinceMs } = look.value;
      if (messages > 0 && readySinceMs === undefined && kind === "sqs") {
        return unknown("the age of messages: not known, because SQS does not tell it here");
      }
      const ageMs = readySinceMs === undefined ? 0 : nowMs - readySinceMs;
      return ageMs > LONGEST_READY_MS
        ? hurts(
            `a message has been ready for ${inHours(ageMs)}, and no run has taken it`,
            "Run the archiver, and look at its schedule: iotda-archiver run",
          )
        : well("no message has waited for longer than a night");
    },
  },
  {
    id: "queue-letters-kept",
    documentation: "docs/runbook.md#dead-letters",
    judge: ({ look, kind }) => {
      if (kind !== "sqs" || look.kind !== "told") {
        return undefined;
      }
      const keptMs = look.value.lettersKeptMs ?? Number.POSITIVE_INFINITY;
      return keptMs < LETTERS_KEPT_MS
        ? hurts(
            `the dead-letter queue forgets letters after ${inHours(keptMs)}`,
            "Set MessageRetentionPeriod of the queue of ARCHIVER_DEAD_LETTER_QUEUE to 1209600 (14 days).",
          )
        : well("the dead-letter queue keeps letters for 14 days");
    },
  },
];

/** Looks into the queue; receives nothing from it. @param archive is waited for where the queue lies in it. */
export async function examineQueue(
  port: QueuePort,
  archive: Promise<Asked<OpenedArchive>>,
  interview: Interview,
  wallMs: () => number,
): Promise<readonly CheckResult[]> {
  const question = (signal: AbortSignal) => port.look({ signal });
  // A queue in the store is the archive's: where that cannot be used, its own check says so.
  const look =
    port.kind === "store"
      ? await interview.askAfter(await archive, "the archive cannot be used", question)
      : await interview.ask(question);
  const { kind, visibilityMs, taskTimeoutMs } = port;
  return judged("queue", CHECKS, { kind, visibilityMs, taskTimeoutMs, look, nowMs: wallMs() });
}

function ofUse({ look }: QueueFacts): Finding {
  if (look.kind === "failed") {
    return broken("the queue cannot be used", look.failure.hint, look.failure.message);
  }
  if (look.kind === "not-asked") {
    return unanswered("the queue", look);
  }
  const { isMade, isWritable, messages } = look.value;
  if (!isMade) {
    return unknown("the queue: not made yet; the first run makes it");
  }
  return isWritable
    ? well(`the queue can be used; it holds ${messages === 1 ? "1 message" : `${messages} messages`}`)
    : broken(
        "this user cannot write to the queue file",
        "Run the archiver as the user who owns the queue file, or give file and folder to this user (chown).",
      );
}
