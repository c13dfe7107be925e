import { PublishCommand, SNSClient, type SNSClientConfig } from "@aws-sdk/client-sns";
import { cutToBytes } from "../domain/cut-text.ts";
import { ANSWER_LIMIT_PLACE, answerLimit } from "../network/answer-limit.ts";
import { withFreshSignature } from "../network/fresh-signature.ts";
import { tunnelAgents } from "../network/tunnel-agents.ts";
import type { Message } from "../ports/notifier.ts";
import { inAttempts, type SendOptions } from "./attempts.ts";
import { type FailedAttempt, failedAttempt, shownWord } from "./errors.ts";
import type { SecretAddress } from "./target.ts";

// Loaded when the first message goes to a topic: the SDK's client takes a good part of a start.

const MAX_ANSWER_BYTES = 64 * 1024;
/** SNS takes 256 KB. */
const MAX_TEXT_BYTES = 64_000;
const HINT =
  "Check the ARN of the topic, that the AWS credentials in use allow sns:Publish on it, and the way to SNS.";

interface TopicOptions extends SendOptions {
  readonly signal: AbortSignal;
  /** Default: as the AWS SDK finds it. */
  readonly client?: Pick<SNSClientConfig, "endpoint" | "credentials">;
}

/**
 * Publishes to a topic of SNS.
 *
 * @throws {NotifyError} when it was not taken; or the reason of the signal.
 */
export async function publish(
  topic: SecretAddress,
  message: Message,
  { proxy, limits, signal, client = {} }: TopicOptions,
): Promise<void> {
  const arn = topic.reveal();
  const [, , , region = ""] = arn.split(":");
  const sns = new SNSClient({
    ...client,
    region,
    // Sent again by the SDK, a message whose answer was lost would arrive twice.
    maxAttempts: 1,
    requestHandler: { ...tunnelAgents(proxy) },
  });
  sns.middlewareStack.add(answerLimit(MAX_ANSWER_BYTES), ANSWER_LIMIT_PLACE);
  const command = new PublishCommand({
    TopicArn: arn,
    Subject: subjectOf(message.subject),
    Message: cutToBytes(`${message.subject}\n\n${message.text}`, MAX_TEXT_BYTES),
  });
  try {
    await inAttempts(
      async (limited) => {
        try {
          await withFreshSignature(() => sns.send(command, { abortSignal: limited }));
        } catch (thrown) {
          limited.throwIfAborted();
          throw failureOf(thrown);
        }
      },
      signal,
      limits,
    );
  } finally {
    sns.destroy();
  }
}

/** SNS takes up to 100 characters of ASCII, on one line. A subject in other letters stands in the text. */
function subjectOf(subject: string): string {
  const ascii = subject
    .replaceAll(/\s*·\s*/g, ", ")
    .replaceAll("…", "...")
    .replaceAll(/[^\x20-\x7e]+/g, "?")
    .trim();
  const isReadable = ascii.replaceAll("?", "").length > ascii.length / 2 && /^[A-Za-z0-9]/.test(ascii);
  return isReadable ? ascii.slice(0, 99) : "IoTDA export archiver";
}

/** The SDK's error is not a cause: it quotes requests (promise I9). */
function failureOf(thrown: unknown): FailedAttempt {
  const { name, $metadata } = thrown as {
    readonly name?: unknown;
    readonly $metadata?: { readonly httpStatusCode?: unknown };
  };
  const status = $metadata?.httpStatusCode;
  const shown = shownWord(name) ?? "unknown error";
  if (typeof status === "number") {
    const isBusy = status === 429 || status === 503 || shown.startsWith("Throttl");
    const fate = isBusy ? "not-taken" : status >= 500 ? "unknown" : "never";
    return failedAttempt({
      fate,
      code: "notify-refused",
      problem: `refused the message (${shown})`,
      hint: HINT,
    });
  }
  const fate = shown === "CredentialsProviderError" ? "never" : "unknown";
  const problem = `could not be reached (${shown})`;
  return failedAttempt({ fate, code: "notify-unreachable", problem, hint: HINT });
}
