import { GetTopicAttributesCommand, SNSClient } from "@aws-sdk/client-sns";
import * as v from "valibot";
import type { TopicSubscriptions } from "../doctor/ports.ts";
import { ANSWER_LIMIT_PLACE, answerLimit } from "../network/answer-limit.ts";
import type { ProxySettings } from "../network/proxy-rules.ts";
import { tunnelAgents } from "../network/tunnel-agents.ts";
import type { CallOptions } from "../ports/platform.ts";
import { failedAttempt, shownWord } from "./errors.ts";
import type { SecretAddress } from "./target.ts";

// Loaded when a topic is asked about: the SDK's client takes a good part of a start.

const MAX_ANSWER_BYTES = 64 * 1024;

const count = v.pipe(v.string(), v.regex(/^\d{1,9}$/), v.transform(Number));
const attributesSchema = v.object({ SubscriptionsConfirmed: count, SubscriptionsPending: count });

/**
 * Asks a topic of SNS for its subscriptions.
 *
 * @throws NotifyError when it does not tell, which a missing `sns:GetTopicAttributes` does; or the signal's reason.
 */
export async function subscriptionsOf(
  topic: SecretAddress,
  { proxy, signal }: CallOptions & { readonly proxy: ProxySettings },
): Promise<TopicSubscriptions> {
  const arn = topic.reveal();
  const [, , , region = ""] = arn.split(":");
  const sns = new SNSClient({ region, maxAttempts: 1, requestHandler: { ...tunnelAgents(proxy) } });
  sns.middlewareStack.add(answerLimit(MAX_ANSWER_BYTES), ANSWER_LIMIT_PLACE);
  try {
    const command = new GetTopicAttributesCommand({ TopicArn: arn });
    const answer = await sns.send(command, { abortSignal: signal });
    const { SubscriptionsConfirmed: confirmed, SubscriptionsPending: pending } = v.parse(
      attributesSchema,
      answer.Attributes,
    );
    return { confirmed, pending };
  } catch (thrown) {
    signal.throwIfAborted();
    // The SDK's error is not a cause: it quotes requests (promise I9).
    const name = shownWord((thrown as { readonly name?: unknown }).name) ?? "unknown error";
    throw failedAttempt({
      fate: "unknown",
      code: "notify-refused",
      problem: `did not tell its subscriptions (${name})`,
      hint: "Allow sns:GetTopicAttributes on the topic to the AWS credentials in use.",
    }).error;
  } finally {
    sns.destroy();
  }
}
