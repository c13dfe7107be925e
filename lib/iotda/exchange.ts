import { once } from "node:events";
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { Intake } from "../network/intake.ts";
import type { TimedCallOptions } from "../ports/platform.ts";
import { headFault, transportFault, unreachable } from "./errors.ts";
import type { IotdaLimits } from "./options.ts";

/** A request as it goes on the wire. */
export interface WireRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Whether an answer of status 200 is a file: its body then takes the short way, past the parser and the streams. */
  readonly asksForFile?: boolean;
}

/** An answer whose head has come. */
export interface Answer {
  readonly httpStatus: number;
  /** By lowercase name, each time the header came. */
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>;
  /** To be read once; a chunk is valid until the next one is asked for. Silence beyond the limit fails the exchange. */
  readonly body: AsyncGenerator<Uint8Array>;
}

/** A header that came exactly once; lowercase name. */
export function headerOf({ headers }: Answer, name: string): string | undefined {
  const [value, ...more] = headers[name] ?? [];
  return more.length === 0 ? value : undefined;
}

export interface ExchangeOptions {
  /** Names the call in messages. */
  readonly operation: string;
  /**
   * Opens a socket that a request can be written on; none stays open once its signal is aborted. The socket may be
   * read through the intake.
   */
  readonly dial: (signal: AbortSignal, intake: Intake) => Promise<Socket>;
  readonly limits: Pick<IotdaLimits, "connectMs" | "headersMs" | "idleMs">;
  /** Ends the exchange, with its reason. */
  readonly signal: AbortSignal;
  /** Called once, when the exchange ends for whatever reason. */
  readonly onEnd: () => void;
}

/**
 * The connection of one call. It lives from the first request to {@link end}, and takes every socket
 * opened for it along: no call leaves anything behind, and none meets a connection that another one left
 * stale. That is what makes "one request, no retry" hold for a delete.
 */
export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #agent = new OneSocketAgent();
  #intake = new Intake();
  /** Aborted when the exchange ends; takes a dial under way along. */
  readonly #ended = new AbortController();
  readonly #failed = Promise.withResolvers<never>();
  #failure: { readonly reason: unknown; readonly byTimeLimit: boolean } | undefined;
  #dialling: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;
  #totalTimer: NodeJS.Timeout | undefined;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#failed.promise.catch(ignore);
    options.signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  readonly #onAbort = (): void => this.fail(this.#options.signal.reason);

  /**
   * Sends one request, once: connects, waits for `beforeRequest`, writes. Rejects with what {@link fail} was given,
   * or with a PlatformError.
   */
  async send(wire: WireRequest, beforeRequest?: TimedCallOptions["beforeRequest"]): Promise<Answer> {
    return await this.guard(async () => {
      if (this.#agent.socket?.writable !== true) {
        await this.#connect();
      }
      this.#throwIfEnded();
      try {
        await beforeRequest?.();
      } catch (reason) {
        this.fail(reason);
      }
      this.#throwIfEnded();
      const response = await this.#write(wire);
      const { statusCode: httpStatus = 0, headersDistinct: headers } = response;
      const fileBytes = wire.asksForFile === true ? this.#divert(response) : undefined;
      return { httpStatus, headers, body: fileBytes ?? this.#bytesOf(response) };
    });
  }

  /** Fails the call when it is not ended this many milliseconds from now. */
  limitTotalTime(totalMs: number): void {
    clearTimeout(this.#totalTimer);
    this.#totalTimer = setTimeout(() => this.#failLate("no whole answer", totalMs), totalMs);
  }

  /** Runs a step of the call; it settles as soon as the exchange fails. */
  async guard<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await Promise.race([step(), this.#failed.promise]);
    } catch (thrown) {
      throw this.reasonFor(thrown);
    }
  }

  /** What to raise for something thrown while this exchange was in use: the reason it ended comes first. */
  reasonFor(thrown: unknown): unknown {
    return this.#failure === undefined
      ? transportFault(this.#options.operation, thrown)
      : this.#failure.reason;
  }

  /** Throws the reason given to {@link fail}, if it was called. */
  throwIfFailed(): void {
    if (this.#failure !== undefined) {
      throw this.#failure.reason;
    }
  }

  /** Ends the exchange; whoever waits on it gets exactly this reason. */
  fail(reason: unknown, byTimeLimit = false): void {
    if (this.#closed === undefined) {
      this.#failure = { reason, byTimeLimit };
      this.#failed.reject(reason);
      void this.end();
    }
  }

  /**
   * Passes over that the rest of an answer never came, in time or at all, because its head says enough. The
   * exchange is of no more use then.
   *
   * @returns false when it was ended from outside: that reason stands.
   */
  passOverCut(): boolean {
    if (this.#failure?.byTimeLimit === true) {
      this.#failure = undefined;
    }
    return this.#failure === undefined;
  }

  /** Destroys every socket. Safe more than once; resolves when they are closed. */
  end(): Promise<void> {
    if (this.#closed === undefined) {
      clearTimeout(this.#totalTimer);
      this.#options.signal.removeEventListener("abort", this.#onAbort);
      this.#ended.abort();
      this.#closed = this.#close();
      this.#options.onEnd();
    }
    return this.#closed;
  }

  async #connect(): Promise<void> {
    const { dial, limits } = this.#options;
    this.#intake = new Intake();
    const dialling = dial(this.#ended.signal, this.#intake);
    this.#dialling = dialling.catch(ignore);
    const socket = await this.#within(limits.connectMs, "no connection", dialling);
    this.#agent.socket = socket;
    if (this.#closed !== undefined) {
      socket.destroy();
    }
  }

  async #close(): Promise<void> {
    const { socket } = this.#agent;
    this.#agent.destroy();
    socket?.destroy();
    await this.#dialling;
    if (socket?.closed === false) {
      await once(socket, "close");
    }
  }

  /** Writes the request, on its way before anything else can happen, and waits for the head of the answer. */
  async #write({ method, target, headers, body }: WireRequest): Promise<IncomingMessage> {
    const { limits, operation } = this.#options;
    const head = Promise.withResolvers<IncomingMessage>();
    const request = httpRequest({ agent: this.#agent, method, path: target, headers });
    // Stays for good: an error event without a listener would end the process. What breaks off a body after
    // the head reaches its reader another way.
    request.on("error", head.reject);
    request.once("response", (response) => {
      response.on("error", ignore);
      head.resolve(response);
    });
    request.end(body);
    try {
      return await this.#within(limits.headersMs, "no answer", head.promise);
    } catch (thrown) {
      throw headFault(operation, thrown);
    }
  }

  async *#bytesOf(response: IncomingMessage): AsyncGenerator<Uint8Array> {
    const chunks: AsyncIterator<Uint8Array> = response[Symbol.asyncIterator]();
    for (;;) {
      const next = await this.#within(this.#options.limits.idleMs, "no more of the answer", chunks.next());
      if (next.done === true) {
        return;
      }
      yield next.value;
    }
  }

  /**
   * Takes the rest of a file off the parser. Only the head needs it: behind that, a body of announced length is what
   * comes. The exchange is of no use for another request then, and a download sends none.
   *
   * @returns `undefined` where the body stays with the parser.
   */
  #divert(response: IncomingMessage): AsyncGenerator<Uint8Array> | undefined {
    const { statusCode, headersDistinct, complete, destroyed } = response;
    const [length = "", ...more] = headersDistinct["content-length"] ?? [];
    const isPlain = headersDistinct["transfer-encoding"] === undefined && more.length === 0;
    const isOpen = !complete && !destroyed;
    if (statusCode !== 200 || !isPlain || !/^\d{1,15}$/.test(length) || !isOpen || !this.#intake.divert()) {
      return undefined;
    }
    // At once: a response whose connection breaks off gives nothing any more.
    const first: Buffer | null = response.read();
    return this.#fileBytes(first ?? Buffer.alloc(0), Number(length));
  }

  async *#fileBytes(first: Buffer, sizeBytes: number): AsyncGenerator<Uint8Array> {
    const { idleMs } = this.#options.limits;
    let leftBytes = sizeBytes - first.length;
    if (first.length > 0) {
      yield first;
    }
    while (leftBytes > 0) {
      const chunk = await this.#within(idleMs, "no more of the answer", this.#intake.read());
      if (chunk === undefined) {
        throw Object.assign(new Error("the connection ended inside the body"), { code: "ECONNRESET" });
      }
      yield chunk.subarray(0, leftBytes);
      leftBytes -= chunk.length;
    }
  }

  /** Fails the exchange when what is waited for does not settle in time. */
  async #within<T>(limitMs: number, missing: string, awaited: Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.#failLate(missing, limitMs), limitMs);
    try {
      return await awaited;
    } finally {
      clearTimeout(timer);
    }
  }

  #failLate(missing: string, limitMs: number): void {
    const hint =
      "The platform or the network is slow. If it persists, check the network, the firewall and the proxy.";
    this.fail(unreachable(`${this.#options.operation}: ${missing} within ${limitMs} ms`, hint), true);
  }

  #throwIfEnded(): void {
    this.throwIfFailed();
    this.#ended.signal.throwIfAborted();
  }
}

/** For errors that are certain to be reported another way. */
const ignore = (): void => undefined;

/**
 * Sends requests one after the other on a socket that was connected before, for as long as the other side keeps
 * it open. Opens none itself: whether a request goes out twice is never Node's decision.
 */
class OneSocketAgent extends Agent {
  socket: Socket | undefined;

  constructor() {
    super({ keepAlive: true, maxSockets: 1 });
  }

  /** Called by Node when a request finds no socket waiting. */
  override createConnection(): Socket | undefined {
    return this.socket;
  }
}
