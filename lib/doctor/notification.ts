import { type Check, type CheckResult, type Finding, hurts, judged, unknown, well } from "./check.ts";
import { type Asked, type Interview, notAsked, toldBy, unanswered } from "./interview.ts";
import type { NotificationPort, Reachable, TopicSubscriptions } from "./ports.ts";

interface Reached {
  readonly name: string;
  readonly asked: Asked<void>;
}

interface Topic {
  readonly name: string;
  readonly asked: Asked<TopicSubscriptions>;
}

/** One who could not be told, and since when. */
interface Unsent {
  readonly target: string;
  readonly sinceMs: number;
}

export interface NotificationFacts {
  readonly isOnMachine: boolean;
  /** Not told where the secret with the addresses cannot be read. */
  readonly port: Asked<Pick<NotificationPort, "names" | "heartbeat">>;
  readonly heartbeat: Reached | undefined;
  readonly targets: readonly Reached[];
  readonly topics: readonly Topic[];
  readonly unsent: Asked<readonly Unsent[]>;
}

const CHECKS: readonly Check<NotificationFacts>[] = [
  {
    id: "heartbeat",
    documentation: "docs/architecture.md#12-who-is-told",
    judge: ({ isOnMachine, port, heartbeat }) => {
      if (port.kind !== "told") {
        return unanswered("the heartbeat", port);
      }
      if (heartbeat === undefined) {
        return isOnMachine
          ? hurts(
              "no heartbeat is set: no person hears of it when runs stop",
              "Make a check at Healthchecks or its like, and set ARCHIVER_HEARTBEAT_URL to its ping URL.",
            )
          : unknown("the heartbeat: not set; the alarms of the deployment tell of missing runs");
      }
      return ofReached(heartbeat, "the heartbeat's host");
    },
  },
  {
    id: "notify-targets",
    documentation: "docs/architecture.md#12-who-is-told",
    judge: ({ targets }) => {
      const [first] = targets;
      const unreached = targets.filter(({ asked }) => asked.kind !== "told");
      const [shown] = unreached;
      if (shown !== undefined) {
        return ofReached(
          shown,
          unreached.length === 1 ? "the target" : `${unreached.length} targets, the first of them`,
        );
      }
      return targets.length > 1
        ? well(`${targets.length} targets can be reached; nothing was sent to them`)
        : first && ofReached(first, "the target");
    },
  },
  {
    id: "notify-topics",
    documentation: "docs/deploy.md#who-is-told",
    judge: ({ topics }) => {
      const [first] = topics;
      const quiet = topics.find(({ asked }) => {
        const found = toldBy(asked);
        return found !== undefined && (found.pending > 0 || found.confirmed === 0);
      });
      const found = quiet && toldBy(quiet.asked);
      if (found !== undefined) {
        return found.pending > 0
          ? hurts(
              `${found.pending === 1 ? "a subscription" : `${found.pending} subscriptions`} of the topic (${quiet?.name}) is not confirmed: its mail was not answered`,
              "Follow the link in the mail that SNS sent to the subscriber, or subscribe once more.",
            )
          : hurts(
              `the topic (${quiet?.name}) has no confirmed subscription: no person gets what it is told`,
              "Subscribe an address to the topic, and follow the link in the mail that SNS sends there.",
            );
      }
      const unasked = topics.find(({ asked }) => asked.kind !== "told");
      if (unasked !== undefined && unasked.asked.kind !== "told") {
        return unanswered(`subscriptions of the topic (${unasked.name})`, unasked.asked);
      }
      return first && well("every subscription of the topics is confirmed");
    },
  },
  {
    id: "notify-unsent",
    documentation: "docs/architecture.md#12-who-is-told",
    judge: ({ unsent, port }) => {
      if (unsent.kind !== "told") {
        return unanswered("messages that were not delivered", unsent);
      }
      const [first] = unsent.value;
      if (first !== undefined) {
        const since = new Date(first.sinceMs).toISOString();
        return hurts(`${first.target} could not be told since ${since}`, "iotda-archiver notify test");
      }
      return (toldBy(port)?.names.length ?? 0) === 0 ? undefined : well("every message was delivered");
    },
  },
];

/**
 * Connects to those who are told, and tells them nothing.
 *
 * @param port read late: its addresses may stand in a secret.
 * @param unsent who of these could not be told.
 */
export async function examineNotification(
  isOnMachine: boolean,
  port: Asked<NotificationPort>,
  unsent: (names: readonly string[]) => Promise<Asked<readonly Unsent[]>>,
  interview: Interview,
): Promise<readonly CheckResult[]> {
  const { heartbeat, targets = [], topics = [], names = [] } = toldBy(port) ?? {};
  const reach = async ({ name, connect }: Reachable): Promise<Reached> => ({
    name,
    asked: await interview.ask((signal) => connect({ signal })),
  });
  const [heartbeatFacts, targetFacts, topicFacts, unsentFacts] = await Promise.all([
    heartbeat && reach(heartbeat),
    Promise.all(targets.map(reach)),
    Promise.all(
      topics.map(async ({ name, subscriptions }) => ({
        name,
        asked: await interview.ask((signal) => subscriptions({ signal })),
      })),
    ),
    port.kind === "told" ? unsent(names) : notAsked("those who are told are not known"),
  ]);
  return judged("notification", CHECKS, {
    ...{ isOnMachine, port, heartbeat: heartbeatFacts, targets: targetFacts },
    ...{ topics: topicFacts, unsent: unsentFacts },
  });
}

function ofReached({ name, asked }: Reached, subject: string): Finding {
  switch (asked.kind) {
    case "told":
      return well(`${subject} (${name}) can be reached; nothing was sent to it`);
    case "failed":
      return hurts(`${subject} (${name}) cannot be reached`, asked.failure.hint, asked.failure.message);
    case "not-asked":
      return unanswered(`${subject} (${name})`, asked);
  }
}
