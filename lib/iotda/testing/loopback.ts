/** Wire-level servers for the tests of this module; nothing outside tests imports it. */
import { once } from "node:events";
import { createServer as createHttpServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { inspect } from "node:util";
import { afterEach, expect } from "vitest";
import { PlatformError } from "../../ports/platform.ts";
import { IotdaClient } from "../client.ts";
import type { IotdaClientOptions } from "../options.ts";
import type { Credentials } from "../signing.ts";

export const SECRETS = {
  ak: "TESTAK00000000000SEC",
  sk: "testSecretKeyNeverToBeSeen",
  securityToken: "tok/en+NeverToBeSeen==",
} satisfies Credentials;
export const PROJECT_ID = "0123456789abcdef0123456789abcdef";
export const TASK_PATH = `/v5/iot/${PROJECT_ID}/export-tasks`;
/** Epoch milliseconds every test client believes in. */
export const NOW_MS = Date.UTC(2026, 10, 22, 12, 0, 0);

export interface SeenRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface LoopbackServer {
  readonly origin: string;
  readonly port: number;
  /** Sockets open right now. */
  readonly sockets: ReadonlySet<Socket>;
  /** Sockets ever accepted. */
  accepted(): number;
  /** Resolves when no socket is open any more. */
  allClosed(): Promise<void>;
}

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) {
    await cleanup();
  }
});

async function listen(server: Server): Promise<LoopbackServer> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  server.on("connection", (socket: Socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(async () => {
    for (const socket of sockets) {
      socket.destroy();
    }
    server.close();
    await once(server, "close");
  });
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    sockets,
    accepted: () => accepted,
    allClosed: () => expect.poll(() => sockets.size, { interval: 5 }).toBe(0),
  };
}

/** An HTTP server that keeps what it saw. */
export async function startHttp(
  answer: (response: ServerResponse, request: SeenRequest, number: number) => void,
): Promise<LoopbackServer & { readonly seen: readonly SeenRequest[] }> {
  const seen: SeenRequest[] = [];
  const server = createHttpServer((message, response) => {
    const chunks: Buffer[] = [];
    message.on("data", (chunk: Buffer) => chunks.push(chunk));
    message.on("end", () => {
      const request = {
        method: message.method ?? "",
        url: new URL(message.url ?? "", "http://loopback"),
        headers: message.headers,
        body: Buffer.concat(chunks).toString(),
      };
      seen.push(request);
      answer(response, request, seen.length);
    });
  });
  return { ...(await listen(server)), seen };
}

/** A TCP server that keeps every byte it got. */
export async function startTcp(
  onSocket: (socket: Socket) => void,
): Promise<LoopbackServer & { received(): string }> {
  let received = "";
  const server = createTcpServer((socket) => {
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString("latin1");
    });
    onSocket(socket);
  });
  return { ...(await listen(server)), received: () => received };
}

/** Longer than a busy machine takes for any test. */
export const AMPLE_MS = 240_000;

/** A client whose limits no healthy test meets; tests of a limit set it. Closed after the test. */
export function clientFor(endpoint: string, options: Partial<IotdaClientOptions> = {}): IotdaClient {
  const client = new IotdaClient({
    endpoint,
    projectId: PROJECT_ID,
    instanceId: undefined,
    credentials: async () => SECRETS,
    wallMs: () => NOW_MS,
    ...options,
    limits: {
      connectMs: AMPLE_MS,
      headersMs: AMPLE_MS,
      idleMs: AMPLE_MS,
      jsonTotalMs: AMPLE_MS,
      ...options.limits,
    },
  });
  cleanups.push(() => client.close());
  return client;
}

/** A signal that is never aborted. */
export function unaborted(): { readonly signal: AbortSignal } {
  return { signal: new AbortController().signal };
}

export function sendJson(response: ServerResponse, status: number, value: unknown, headers = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(value));
}

/** What a call was rejected with, certain to be a PlatformError that shows no secret anywhere. */
export async function platformErrorOf(call: Promise<unknown>): Promise<PlatformError> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof PlatformError)) {
    throw new Error(`expected a PlatformError, got ${inspect(error)}`);
  }
  expectNoSecrets(error);
  expect(error.hint).toMatch(/\w+/);
  return error;
}

export function expectNoSecrets(error: Error): void {
  const shown = [
    inspect(error, { depth: 10, showHidden: true }),
    JSON.stringify(error),
    error.stack,
    String(error),
  ];
  for (const secret of [...Object.values(SECRETS), "SignatureOfSomebody", "TokenOfSomebody"]) {
    expect(shown.join("\n")).not.toContain(secret);
  }
}

export async function bytesOf(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) {
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks);
}
