import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Answer, jsonAnswer } from "../answer.ts";
import { nowMs } from "../clock.ts";
import { hasLeft } from "../has-left.ts";
import { listen } from "../listen.ts";
import { sendAnswer } from "../send.ts";
import { answerControl } from "./control.ts";
import { CONTROL_PREFIX } from "./control-protocol.ts";
import { answerRequest } from "./dispatch.ts";
import type { S3Store } from "./store.ts";
import { WireBody } from "./wire.ts";

const MAX_CONTROL_BYTES = 4 * 1024 * 1024;

/** A store that listens. */
export interface RunningS3 {
  /** `http://127.0.0.1:{port}` */
  readonly endpoint: string;
  /** Cuts every connection. */
  stop(): Promise<void>;
}

/** @param port loopback port; 0 lets the system choose. */
export async function startServer(store: S3Store, port: number): Promise<RunningS3> {
  const stopping = new AbortController();
  const open = new Set<Promise<void>>();
  const listener = (expectsContinue: boolean) => (request: IncomingMessage, response: ServerResponse) => {
    const handled = handle(store, request, response, expectsContinue, stopping.signal).catch(
      (thrown: unknown) => {
        if (!hasLeft(thrown)) {
          console.error("S3 stand-in: a request could not be handled", thrown);
        }
        response.destroy();
      },
    );
    open.add(handled);
    void handled.then(() => open.delete(handled));
  };
  const server = createServer({ keepAliveTimeout: 600_000, requestTimeout: 0 }, listener(false));
  server.on("checkContinue", listener(true));
  await listen(server, port);
  const { port: actualPort } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${actualPort}`,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      stopping.abort();
      server.closeAllConnections();
      await closed;
      await Promise.all(open);
    },
  };
}

async function handle(
  store: S3Store,
  request: IncomingMessage,
  response: ServerResponse,
  expectsContinue: boolean,
  stopping: AbortSignal,
): Promise<void> {
  const { method = "", url = "/" } = request;
  const left = new AbortController();
  response.once("close", () => left.abort());
  const gone = AbortSignal.any([left.signal, stopping]);
  response.setHeader("Date", new Date(store.nowMs()).toUTCString());
  response.setHeader("Server", "S3 stand-in");
  response.setHeader("x-amz-request-id", randomUUID());
  if (url.startsWith(`${CONTROL_PREFIX}/`)) {
    const body = await readControlBody(request);
    await sendAnswer(response, await answerOfControl(store, method, url, body), gone);
    return;
  }
  const wire = new WireBody(request, response, expectsContinue, store.settings.logBodyHashes);
  const head = { method, url, headers: headersOf(request) };
  const { n, answer } = await answerRequest({ store, head, wire, gone });
  if (answer.ending !== "lost") {
    await drained(wire, gone);
  }
  await sendAnswer(response, answer, gone, ({ outcome, bytesSent }) =>
    store.log.update(n, { ...wire.read, outcome, bytesSent, endedAtMs: nowMs() }),
  );
}

async function drained(wire: WireBody, gone: AbortSignal): Promise<void> {
  try {
    await wire.drain();
  } catch (thrown) {
    // A client that leaves in the middle of its body gets no answer; sendAnswer records that.
    if (!gone.aborted) {
      throw thrown;
    }
  }
}

async function answerOfControl(
  store: S3Store,
  method: string,
  url: string,
  body: Buffer | undefined,
): Promise<Answer> {
  return body === undefined
    ? jsonAnswer(413, { error: "the body is too large" })
    : await answerControl(store, method, url, body);
}

async function readControlBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_CONTROL_BYTES) {
      return undefined;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function headersOf(request: IncomingMessage): Map<string, string> {
  return new Map(
    Object.entries(request.headersDistinct).map(([name, values]) => [name, (values ?? []).join(",")]),
  );
}
