import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { SendLimits } from "../attempts.ts";

/** What a receiver was sent. */
interface Received {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** How a receiver answers one request; the number counts from 1. */
export type Answer = (response: ServerResponse, number: number) => void;

/** A receiver on loopback. */
export class Receiver implements AsyncDisposable {
  readonly received: Received[] = [];
  readonly #server = createServer();

  private constructor(answer: Answer) {
    this.#server.on("request", async (request, response) => {
      const { method, url, headers } = request;
      this.received.push({ method, path: url, headers, body: await text(request) });
      answer(response, this.received.length);
    });
  }

  static async open(answer: Answer): Promise<Receiver> {
    const receiver = new Receiver(answer);
    receiver.#server.listen(0, "127.0.0.1");
    await once(receiver.#server, "listening");
    return receiver;
  }

  /** Its address. */
  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** An address below it, as a setting has it. */
  address(path: string) {
    return { reveal: () => `${this.origin}${path}` };
  }

  async [Symbol.asyncDispose]() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Answers with a status and a body. */
export function saying(status: number, body = "", headers: Readonly<Record<string, string>> = {}): Answer {
  return (response) => response.writeHead(status, headers).end(body);
}

/** Takes the request and never answers. */
export const hangs: Answer = () => undefined;

/** Takes the request and drops the connection. */
export const drops: Answer = (response) => response.destroy();

/** Answers with ten megabytes after the head. */
export function floods(status: number): Answer {
  return (response) => {
    response.on("error", () => undefined);
    response.writeHead(status, { "content-type": "text/html" }).end(Buffer.alloc(10_000_000, "x"));
  };
}

/** Limits that no working receiver of a test meets; attempts follow at once. */
export const PATIENT: SendLimits = { totalMs: 60_000, pausesMs: [1, 1] };
/** For receivers that never answer. */
export const SHORT: SendLimits = { totalMs: 100, pausesMs: [1, 1] };
