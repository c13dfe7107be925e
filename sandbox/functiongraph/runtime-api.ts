import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What the runtime API hands to its one process. */
export interface Handed {
  readonly requestId: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How the process said that an invocation ended. */
export interface Said {
  readonly outcome: "response" | "error";
  readonly body: string;
}

const PREFIX = "/v1/runtime/invocation/";
const MOST_ANSWER_BYTES = 6_291_456;

/** The runtime API of one process, on loopback: one invocation at a time, to whoever asks for it. */
export class RuntimeApiServer {
  readonly #server: Server;
  readonly #polled = Promise.withResolvers<void>();
  #waiting: ServerResponse | undefined;
  #handed: Handed | undefined;
  #isTaken = false;
  #said: ((said: Said) => void) | undefined;

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(): Promise<RuntimeApiServer> {
    const api = new RuntimeApiServer();
    await new Promise<void>((resolve) => api.#server.listen(0, "127.0.0.1", resolve));
    return api;
  }

  /** What `RUNTIME_API_ADDR` is. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when the process asks for its first invocation. */
  async polled(): Promise<void> {
    await this.#polled.promise;
  }

  /** Hands an invocation over. Resolves when the process has said how it ended. */
  async hand(handed: Handed): Promise<Said> {
    const { promise, resolve } = Promise.withResolvers<Said>();
    this.#handed = handed;
    this.#isTaken = false;
    this.#said = resolve;
    this.#answerPoll();
    return await promise;
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) {
      return;
    }
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "" } = request;
    if (method === "GET" && url === `${PREFIX}request`) {
      this.#polled.resolve();
      this.#waiting = response;
      response.once("close", () => {
        this.#waiting = this.#waiting === response ? undefined : this.#waiting;
      });
      this.#answerPoll();
      return;
    }
    const body = await bodyOf(request).catch(() => undefined);
    const [outcome, requestId] = url.slice(PREFIX.length).split("/");
    const isOfThisOne = this.#isTaken && requestId === this.#handed?.requestId;
    if (method !== "POST" || body === undefined || !isOfThisOne) {
      response.writeHead(404).end("no such invocation");
    } else if (body.length > MOST_ANSWER_BYTES || (outcome !== "response" && outcome !== "error")) {
      response.writeHead(400).end("not an answer");
    } else {
      this.#handed = undefined;
      const said = this.#said;
      response.writeHead(200).end(() => said?.({ outcome, body: body.toString("utf8") }));
    }
  }

  #answerPoll(): void {
    if (this.#waiting !== undefined && this.#handed !== undefined && !this.#isTaken) {
      this.#isTaken = true;
      const { headers, body } = this.#handed;
      this.#waiting.writeHead(200, headers).end(body);
      this.#waiting = undefined;
    }
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
