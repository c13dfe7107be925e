import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { Answer } from "./answer.ts";
import { type Ended, nowMs } from "./request-log.ts";

/** What became of an answer. `bytesSent` counts what was handed to the connection. */
export interface Sent {
  readonly outcome: Ended;
  /** Epoch milliseconds when its head was written; `undefined` when nothing was. */
  readonly startedAtMs: number | undefined;
  readonly bytesSent: number;
  readonly sha256: string;
}

/**
 * Sends an answer, and ends the connection as the answer says. Never rejects because the client left:
 * that is an outcome.
 *
 * @param gone aborts when the client leaves or the stand-in stops.
 * @param record is told once what became of the answer, before the client can see its end: who has got the
 * whole answer finds it in the log.
 */
export async function sendAnswer(
  response: ServerResponse,
  answer: Answer,
  gone: AbortSignal,
  record: (sent: Sent) => void = () => undefined,
): Promise<void> {
  const hash = createHash("sha256");
  let bytesSent = 0;
  let startedAtMs: number | undefined;
  let recorded = false;
  const recordOnce = (outcome: Ended): void => {
    if (!recorded) {
      recorded = true;
      record({ outcome, startedAtMs, bytesSent, sha256: hash.copy().digest("hex") });
    }
  };
  const endsByLength = answer.ending === "whole" && answer.framing === "length";
  try {
    if (answer.ending !== "lost") {
      startedAtMs = nowMs();
      if (endsByLength && answer.sizeBytes === 0) {
        recordOnce("answered");
      }
      writeHead(response, answer);
      for await (const chunk of answer.body) {
        gone.throwIfAborted();
        hash.update(chunk);
        bytesSent += chunk.length;
        if (endsByLength && bytesSent === answer.sizeBytes) {
          recordOnce("answered");
        }
        if (chunk.length > 0) {
          await taken(gone, (done) => response.write(chunk, done));
        }
      }
    }
    gone.throwIfAborted();
    recordOnce(outcomeOf(answer));
    await finish(response, answer, gone);
  } catch (thrown) {
    if (!gone.aborted) {
      throw thrown;
    }
    recordOnce("aborted");
  } finally {
    await answer.release?.();
  }
}

function outcomeOf(answer: Answer): Ended {
  switch (answer.ending) {
    case "whole":
      return "answered";
    case "lost":
      return "lost";
    case "closed":
    case "reset":
      return "reset";
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
    // Node closes the connection on its own when it may neither declare a length nor send chunks.
    response.removeHeader("Transfer-Encoding");
    response.shouldKeepAlive = false;
  }
  response.writeHead(answer.status);
  response.flushHeaders();
}

/** Resolves when the kernel has taken what `hand` gave to the connection; rejects when the client leaves first. */
async function taken(gone: AbortSignal, hand: (done: (error?: Error | null) => void) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const left = (): void => reject(gone.reason);
  gone.addEventListener("abort", left);
  hand((error) => (error ? reject(error) : resolve()));
  try {
    await promise;
  } finally {
    gone.removeEventListener("abort", left);
  }
}

async function finish(response: ServerResponse, answer: Answer, gone: AbortSignal): Promise<void> {
  switch (answer.ending) {
    case "whole":
      return await taken(gone, (done) => response.end(done));
    case "closed":
      response.socket?.destroySoon();
      return;
    case "lost":
    case "reset":
      response.socket?.resetAndDestroy();
      return;
  }
}
