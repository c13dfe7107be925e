import type { Message } from "../ports/notifier.ts";
import { inAttempts, type SendOptions } from "./attempts.ts";
import { codeOfAnswer, type WebKind, webBody } from "./bodies.ts";
import { failedAttempt } from "./errors.ts";
import { post } from "./http.ts";
import type { SecretAddress } from "./target.ts";

/**
 * Tells a target over HTTP.
 *
 * @throws {NotifyError} when it was not taken; or the reason of the signal.
 */
export async function sendToWeb(
  kind: WebKind,
  address: SecretAddress,
  message: Message,
  { proxy, limits, signal }: SendOptions & { readonly signal: AbortSignal },
): Promise<void> {
  const url = new URL(address.reveal());
  const sent = { url, contentType: "application/json; charset=utf-8", body: webBody(kind, message) };
  await inAttempts(
    async (limited) => {
      const code = codeOfAnswer(kind, await post(sent, proxy, limited));
      if (code !== 0) {
        throw failedAttempt({
          fate: "never",
          code: "notify-refused",
          problem:
            code === undefined
              ? "gave an answer that its service does not give"
              : `refused the message (code ${code})`,
          hint: "Look the code up in the service's documentation. It may ask for a keyword: iotda-archiver stands in each message.",
        });
      }
    },
    signal,
    limits,
  );
}
