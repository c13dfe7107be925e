import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Answer } from "./answer.ts";
import { nowMs } from "./clock.ts";
import type { RequestEnd } from "./request-log.ts";

type Outcome = RequestEnd["outcome"];

/** What became of an answer. */
export interface Sent {
  readonly outcome: Outcome;
  /** Epoch milliseconds when its head was written; `undefined` when nothing was. */
  readonly startedAtMs: number | undefined;
  /** Bytes of the body handed to the connection, and their hash. */
  readonly bytesSent: number;
  readonly sha256: string;
}

/**
 * Sends an answer, and ends the connection as the answer says. Never rejects because the client left:
 * that is an outcome.
 *
 * @param gone aborts when the client leaves or the sandbox stops.
 */
export async function sendAnswer(response: ServerResponse, answer: Answer, gone: AbortSignal): Promise<Sent> {
  const hash = createHash("sha256");
  let bytesSent = 0;
  let startedAtMs: number | undefined;
  const sent = (outcome: Outcome): Sent => {
    return { outcome, startedAtMs, bytesSent, sha256: hash.copy().digest("hex") };
  };
  try {
    if (answer.ending === "lost") {
      response.socket?.resetAndDestroy();
      return sent("lost");
    }
    startedAtMs = nowMs();
    writeHead(response, answer);
    for await (const chunk of answer.body) {
      gone.throwIfAborted();
      await written(response, chunk, gone);
      hash.update(chunk);
      bytesSent += chunk.length;
    }
    return sent(await finish(response, answer, gone));
  } catch (thrown) {
    if (!gone.aborted) {
      response.socket?.destroy();
      throw thrown;
    }
    return sent("aborted");
  } finally {
    await answer.release?.();
  }
}

function writeHead(response: ServerResponse, answer: Answer): void {
  for (const [name, value] of Object.entries(answer.headers)) {
    response.setHeader(name, value);
  }
  if (answer.framing === "length" && answer.status !== 204) {
    response.setHeader("Content-Length", answer.sizeBytes);
  }
  if (answer.framing === "close") {
    // Node closes the connection by itself when it may neither declare a length nor send chunks.
    response.removeHeader("Transfer-Encoding");
    response.shouldKeepAlive = false;
  }
  response.writeHead(answer.status);
  response.flushHeaders();
}

async function written(response: ServerResponse, chunk: Buffer, gone: AbortSignal): Promise<void> {
  if (chunk.length === 0) {
    return;
  }
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const left = (): void => reject(gone.reason);
  gone.addEventListener("abort", left, { once: true });
  response.write(chunk, (error) => (error ? reject(error) : resolve()));
  try {
    await promise;
  } finally {
    gone.removeEventListener("abort", left);
  }
}

async function finish(response: ServerResponse, answer: Answer, gone: AbortSignal): Promise<Outcome> {
  switch (answer.ending) {
    case "whole": {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      gone.addEventListener("abort", () => reject(gone.reason), { once: true });
      response.end(resolve);
      await promise;
      return "answered";
    }
    case "closed":
      response.socket?.destroySoon();
      return "reset";
    case "reset":
      // Let the kernel take what was written: a reset drops what is still in this process.
      await nextTurn();
      response.socket?.resetAndDestroy();
      return "reset";
    case "lost":
      return "lost";
  }
}
