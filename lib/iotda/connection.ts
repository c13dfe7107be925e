import { once } from "node:events";
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { isProxyAddress, type ProxySettings, proxyFor } from "../network/proxy-rules.ts";
import { dial } from "../network/tunnel.ts";
import type { TimedCallOptions } from "../ports/platform.ts";
import { headFault, misconfigured, transportFault, unreachable } from "./errors.ts";
import type { IotdaLimits } from "./options.ts";

/** A request as it goes on the wire. */
export interface WireRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly beforeRequest?: TimedCallOptions["beforeRequest"] | undefined;
}

/** An answer whose head has come. */
export interface WireAnswer {
  readonly httpStatus: number;
  /** By lowercase name, each time the header came. */
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>;
  /** To be read once. Silence beyond the limit fails the connection. */
  readonly body: AsyncIterable<Uint8Array>;
}

type TimeLimits = Pick<IotdaLimits, "connectMs" | "headersMs" | "idleMs">;

/**
 * The connection of one operation. It lives from the first request to {@link end}, and takes every socket
 * opened for it along: no operation leaves anything behind, and none meets a connection that another one left
 * stale. That is what makes "one request, no retry" hold for a delete.
 */
export class Connection {
  readonly #operation: string;
  readonly #dial: (signal: AbortSignal) => Promise<Socket>;
  readonly #limits: TimeLimits;
  readonly #agent = new OneSocketAgent();
  /** Aborted when the connection ends; takes a dial under way along. */
  readonly #ended = new AbortController();
  readonly #failed = Promise.withResolvers<never>();
  readonly #onEnd: () => void;
  #failure: { readonly reason: unknown; readonly byTimeLimit: boolean } | undefined;
  #dialling: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;
  #totalTimer: NodeJS.Timeout | undefined;

  /**
   * @param operation names the call in messages.
   * @param dial opens a socket that a request can be written on; none stays open once its signal is aborted.
   * @param onEnd called once, when the connection ends for whatever reason.
   */
  constructor(
    operation: string,
    dial: (signal: AbortSignal) => Promise<Socket>,
    limits: TimeLimits,
    onEnd: () => void,
  ) {
    this.#operation = operation;
    this.#dial = dial;
    this.#limits = limits;
    this.#onEnd = onEnd;
    this.#failed.promise.catch(ignore);
  }

  /**
   * Sends one request, once: connects, waits for `beforeRequest`, writes. Rejects with what {@link fail} was given,
   * or with a PlatformError.
   */
  async send(wire: WireRequest): Promise<WireAnswer> {
    return await this.guard(async () => {
      if (!this.#agent.isOpen) {
        await this.#connect();
      }
      this.#throwIfEnded();
      try {
        await wire.beforeRequest?.();
      } catch (reason) {
        this.fail(reason);
      }
      this.#throwIfEnded();
      const response = await this.#exchange(wire);
      return {
        httpStatus: response.statusCode ?? 0,
        headers: response.headersDistinct,
        body: this.#bytesOf(response),
      };
    });
  }

  /** Fails the operation when it is not ended this many milliseconds from now. */
  limitTotalTime(totalMs: number): void {
    clearTimeout(this.#totalTimer);
    this.#totalTimer = setTimeout(() => this.#failLate("no whole answer", totalMs), totalMs);
  }

  /** Runs a step of the operation; it settles as soon as the connection fails. */
  async guard<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await Promise.race([step(), this.#failed.promise]);
    } catch (thrown) {
      throw this.reasonFor(thrown);
    }
  }

  /** What to raise for something thrown while this connection was in use: the reason it ended comes first. */
  reasonFor(thrown: unknown): unknown {
    return this.#failure === undefined ? transportFault(this.#operation, thrown) : this.#failure.reason;
  }

  /** Throws the reason given to {@link fail}, if it was called. */
  throwIfFailed(): void {
    if (this.#failure !== undefined) {
      throw this.#failure.reason;
    }
  }

  /** Ends the connection; whoever waits on it gets exactly this reason. */
  fail(reason: unknown): void {
    this.#fail(reason, false);
  }

  /**
   * Passes over that the rest of an answer never came, in time or at all, because its head says enough. The
   * connection is of no more use then.
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
      this.#ended.abort();
      this.#closed = Promise.all([this.#dialling, this.#agent.close()]).then(ignore);
      this.#onEnd();
    }
    return this.#closed;
  }

  async #connect(): Promise<void> {
    const dialling = this.#dial(this.#ended.signal);
    this.#dialling = dialling.catch(ignore);
    this.#agent.use(await this.#within(this.#limits.connectMs, "no connection", dialling));
  }

  /** Writes the request, on its way before anything else can happen, and waits for the head of the answer. */
  async #exchange({ method, target, headers, body }: WireRequest): Promise<IncomingMessage> {
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
      return await this.#within(this.#limits.headersMs, "no answer", head.promise);
    } catch (thrown) {
      throw headFault(this.#operation, thrown);
    }
  }

  async *#bytesOf(response: IncomingMessage): AsyncGenerator<Uint8Array, void, undefined> {
    const chunks: AsyncIterator<Uint8Array> = response[Symbol.asyncIterator]();
    for (;;) {
      const next = await this.#within(this.#limits.idleMs, "no more of the answer", chunks.next());
      if (next.done === true) {
        return;
      }
      yield next.value;
    }
  }

  /** Fails the connection when what is waited for does not settle in time. */
  async #within<T>(limitMs: number, missing: string, awaited: Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.#failLate(missing, limitMs), limitMs);
    try {
      return await awaited;
    } finally {
      clearTimeout(timer);
    }
  }

  #failLate(missing: string, limitMs: number): void {
    const hint = "The platform or the network is slow. If it lasts, check network, firewall and proxy.";
    this.#fail(unreachable(`${this.#operation}: ${missing} within ${limitMs} ms`, hint), true);
  }

  #fail(reason: unknown, byTimeLimit: boolean): void {
    if (this.#closed === undefined) {
      this.#failure = { reason, byTimeLimit };
      this.#failed.reject(reason);
      void this.end();
    }
  }

  #throwIfEnded(): void {
    this.throwIfFailed();
    this.#ended.signal.throwIfAborted();
  }
}

/** For errors that are certain to be reported another way. */
function ignore(): void {
  // Nothing to do.
}

/**
 * Sends requests one after the other on a socket that was connected before, for as long as the other side keeps
 * it open. Opens none itself: whether a request goes out twice is never Node's decision.
 */
class OneSocketAgent extends Agent {
  #socket: Socket | undefined;
  #isClosed = false;

  constructor() {
    super({ keepAlive: true, maxSockets: 1 });
  }

  /** Whether a request can be sent without connecting first. */
  get isOpen(): boolean {
    return this.#socket?.writable === true;
  }

  /** Takes over the socket of the next requests. */
  use(socket: Socket): void {
    this.#socket = socket;
    if (this.#isClosed) {
      socket.destroy();
    }
  }

  /** Called by Node when a request finds no socket waiting. */
  override createConnection(): Socket | undefined {
    return this.#socket;
  }

  /** Destroys the socket, and one that may still come; resolves when the former is closed. */
  async close(): Promise<void> {
    const socket = this.#socket;
    this.#isClosed = true;
    this.destroy();
    if (socket !== undefined && !socket.closed) {
      socket.destroy();
      await once(socket, "close");
    }
  }
}

/** Opens connections to one origin, directly or through the proxy that the settings name for it. */
export class ConnectionFactory {
  readonly #origin: URL;
  readonly #limits: IotdaLimits;
  readonly #proxy: URL | undefined;
  readonly #open = new Set<Connection>();
  /** Resumed from one operation to the next. */
  #tlsSession: Buffer | undefined;

  /** Throws `platform-misconfigured` when the proxy address is none. */
  constructor(origin: URL, limits: IotdaLimits, proxy: ProxySettings) {
    if (!isProxyAddress(origin.protocol === "https:" ? proxy.httpsProxy : proxy.httpProxy)) {
      throw misconfigured("the proxy address is not a URL", "Set HTTPS_PROXY to http://host:port.");
    }
    this.#origin = origin;
    this.#limits = limits;
    this.#proxy = proxyFor(origin, proxy);
  }

  /**
   * A connection for one operation. It fails with the signal's reason when that is aborted.
   *
   * @throws the signal's reason when it already is.
   */
  open(operation: string, signal: AbortSignal): Connection {
    signal.throwIfAborted();
    const onAbort = (): void => connection.fail(signal.reason);
    const connection = new Connection(
      operation,
      (ended) =>
        dial(this.#origin, {
          proxy: this.#proxy,
          signal: ended,
          tlsSession: this.#tlsSession,
          onTlsSession: (session) => {
            this.#tlsSession = session;
          },
        }),
      this.#limits,
      () => {
        signal.removeEventListener("abort", onAbort);
        this.#open.delete(connection);
      },
    );
    signal.addEventListener("abort", onAbort, { once: true });
    this.#open.add(connection);
    return connection;
  }

  /** Fails every open connection with `reason`; resolves when their sockets are closed. */
  async closeAll(reason: unknown): Promise<void> {
    const open = [...this.#open];
    for (const connection of open) {
      connection.fail(reason);
    }
    await Promise.all(open.map((connection) => connection.end()));
  }
}
