import { request as httpRequest, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { certificateHint } from "../network/certificate-faults.ts";
import { type ProxySettings, proxyFor } from "../network/proxy-rules.ts";
import { dial, ProxyRefusedError } from "../network/tunnel.ts";
import { FailedAttempt, failedAttempt, shownCode } from "./errors.ts";

/** More of an answer is not read. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** One POST. */
export interface Post {
  readonly url: URL;
  readonly contentType: string;
  readonly body: string;
}

const WAY =
  "Check the address, and the network, firewall and proxy on the way to it. A receiver that is down comes back.";
const ADDRESS = "Compare the address with the one that its service shows, and check that it was not revoked.";

/**
 * Sends one POST, once. A redirect is not followed: what is sent is for the one who was named.
 *
 * @returns the first 64 KiB of an answer with a status of success.
 * @throws FailedAttempt, or the reason of the signal.
 */
export async function post(
  { url, contentType, body }: Post,
  proxy: ProxySettings,
  signal: AbortSignal,
): Promise<string> {
  const socket = await connected(url, proxy, signal);
  try {
    const response = await answerOf(socket, { url, contentType, body }, signal);
    const text = await beginning(response);
    refuseStatus(response.statusCode ?? 0);
    return text;
  } catch (thrown) {
    signal.throwIfAborted();
    throw thrown instanceof FailedAttempt ? thrown : lost(thrown);
  } finally {
    socket.destroy();
  }
}

async function connected(url: URL, proxy: ProxySettings, signal: AbortSignal): Promise<Socket> {
  try {
    return await dial(url, { proxy: proxyFor(url, proxy), signal });
  } catch (thrown) {
    signal.throwIfAborted();
    const code = shownCode(thrown);
    const certificate = certificateHint(code, "the address");
    const isFinal = certificate !== undefined || thrown instanceof ProxyRefusedError;
    throw failedAttempt({
      fate: isFinal ? "never" : "not-taken",
      code: "notify-unreachable",
      problem: `could not be reached (${code ?? "no code"})`,
      hint: certificate ?? WAY,
    });
  }
}

function answerOf(
  socket: Socket,
  { url, contentType, body }: Post,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const onAbort = () => socket.destroy();
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once("close", () => signal.removeEventListener("abort", onAbort));
    const request = httpRequest({
      createConnection: () => socket,
      method: "POST",
      path: `${url.pathname}${url.search}`,
      headers: {
        host: url.host,
        "content-type": contentType,
        "content-length": Buffer.byteLength(body),
        "user-agent": "iotda-archiver",
        connection: "close",
      },
    });
    // Stays for good: an error event without a listener would end the process.
    request.on("error", reject);
    request.once("response", resolve);
    request.end(body);
  });
}

/** The beginning of an answer; the rest of a flood is left where it is. */
async function beginning(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= MAX_ANSWER_BYTES) {
      break;
    }
  }
  return Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES).toString("utf8");
}

function refuseStatus(status: number): void {
  if (status >= 200 && status < 300) {
    return;
  }
  const refused = (problem: string, fate: "never" | "not-taken" | "unknown", hint: string) =>
    failedAttempt({ fate, code: "notify-refused", problem: `${problem} (status ${status})`, hint });
  if (status >= 300 && status < 400) {
    throw refused(
      "sent the request elsewhere",
      "never",
      "Name the address that it leads to, where you trust it.",
    );
  }
  if (status === 429 || status === 503) {
    throw refused("takes no message now", "not-taken", WAY);
  }
  // Behind a gateway's 502 or 504 the message may have arrived.
  throw status >= 500 ? refused("failed", "unknown", WAY) : refused("refused the message", "never", ADDRESS);
}

function lost(thrown: unknown): FailedAttempt {
  return failedAttempt({
    fate: "unknown",
    code: "notify-unreachable",
    problem: `gave no whole answer (${shownCode(thrown) ?? "no code"})`,
    hint: WAY,
  });
}
