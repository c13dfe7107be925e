import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { answerControl, type Control } from "./control.ts";
import { nowMs } from "./request-log.ts";
import { sendAnswer } from "./send.ts";

const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** One request on its way through a stand-in, and the connection for its answer. */
export interface Incoming {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  /** When its head arrived, epoch milliseconds of the real clock. */
  readonly atMs: number;
  /** The client holds the body back until it is told to send it. */
  readonly expectsContinue: boolean;
  /** Aborts when the client leaves or the stand-in stops. */
  readonly gone: AbortSignal;
}

/** What one stand-in does with its requests. */
export interface StandIn {
  /** Begins what it prints about a defect of its own. */
  readonly name: string;
  /** Headers of every answer. */
  headers(): Readonly<Record<string, string>>;
  readonly control: Control;
  /** Answers what is not for the control. */
  serve(incoming: Incoming): Promise<void>;
  /** Closes its files, when no request is open any more. */
  close(): void;
}

/** A stand-in that listens. */
export interface RunningServer {
  /** `http://127.0.0.1:{port}` */
  readonly endpoint: string;
  /** Cuts every connection and closes the files. */
  stop(): Promise<void>;
}

/** Starts a stand-in on a loopback port; 0 lets the system choose. Resolves when it takes connections. */
export async function startServer(standIn: StandIn, port: number): Promise<RunningServer> {
  const open = new Map<AbortController, Promise<void>>();
  const listener = (expectsContinue: boolean) => (request: IncomingMessage, response: ServerResponse) => {
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    const { method = "", url = "/" } = request;
    const incoming = { request, response, method, url, atMs: nowMs(), expectsContinue, gone: gone.signal };
    const handled = handle(standIn, incoming).catch((thrown: unknown) => {
      if (!hasLeft(thrown)) {
        console.error(`${standIn.name}: a request could not be handled`, thrown);
      }
      response.destroy();
    });
    open.set(gone, handled);
    void handled.then(() => open.delete(gone));
  };
  // A connection that is closed while a client sends on it looks like a fault: here only clients close idle ones.
  const server = createServer({ keepAliveTimeout: 600_000, requestTimeout: 0 }, listener(false));
  server.on("checkContinue", listener(true));
  const { promise: listening, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  // Loopback only: the control needs no signature.
  server.listen(port, "127.0.0.1", resolve);
  await listening;
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      const closed = new Promise((done) => server.close(done));
      for (const gone of open.keys()) {
        gone.abort();
      }
      server.closeAllConnections();
      await closed;
      await Promise.all(open.values());
      standIn.close();
    },
  };
}

async function handle(standIn: StandIn, incoming: Incoming): Promise<void> {
  const { response, method, url, gone } = incoming;
  response.setHeaders(new Map(Object.entries(standIn.headers())));
  if (!url.startsWith(`${standIn.control.prefix}/`)) {
    await standIn.serve(incoming);
    return;
  }
  const body = await readBody(incoming);
  if (body !== "cut") {
    await sendAnswer(response, await answerControl(standIn.control, method, url, body), gone);
  }
}

/** A whole request body of up to 4 MiB. `cut`: the client left in the middle of it and gets no answer. */
export async function readBody(incoming: Incoming): Promise<Buffer | "too-large" | "cut"> {
  const { request, response, expectsContinue } = incoming;
  if (expectsContinue) {
    response.writeContinue();
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) {
        return "too-large";
      }
      chunks.push(chunk);
    }
  } catch (thrown) {
    if (request.destroyed && !request.complete) {
      return "cut";
    }
    throw thrown;
  }
  return Buffer.concat(chunks);
}

/** @param separator stands between the values of a repeated header. */
export function headersOf(request: IncomingMessage, separator: string): Map<string, string> {
  const headers = Object.entries(request.headersDistinct);
  return new Map(headers.map(([name, values]) => [name, (values ?? []).join(separator)]));
}

/** The client closed the connection: its right, and no failure of the server. */
function hasLeft(thrown: unknown): boolean {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  return ["ECONNRESET", "ECANCELED", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE"].includes(String(code));
}
