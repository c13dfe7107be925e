import type { Socket } from "node:net";
import { beforeRequest } from "./before-request.ts";
import { unreachable } from "./errors.ts";
import { headFault, transportFault } from "./transport-faults.ts";
import type { Dispatcher } from "./undici.ts";

/** undici dials again by itself when a connection breaks before a request is written; not forever. */
const MAX_DIALS_PER_REQUEST = 3;

/** A request as it goes on the wire. */
export interface WireRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly beforeRequest?: (() => void) | undefined;
}

/**
 * The connection of one operation. It lives from the first request to {@link end}, and takes every socket
 * opened for it along: no operation leaves anything behind, and none meets a connection that another one left
 * stale. That is what makes "one request, no retry" hold for a delete.
 */
export class Connection {
  readonly #operation: string;
  readonly #origin: string;
  readonly #dispatcher: Dispatcher;
  readonly #sockets = new Set<Socket>();
  readonly #failed = Promise.withResolvers<never>();
  readonly #onEnd: () => void;
  #failure: { readonly reason: unknown } | undefined;
  #destroyed: Promise<void> | undefined;
  #dials = 0;
  #totalTimer: NodeJS.Timeout | undefined;

  /**
   * @param operation names the call in messages.
   * @param dial makes the dispatcher; it reports every socket it opens to the connection.
   * @param onEnd called once, when the connection ends for whatever reason.
   */
  constructor(
    operation: string,
    origin: string,
    dial: (connection: Connection) => Dispatcher,
    onEnd: () => void,
  ) {
    this.#operation = operation;
    this.#origin = origin;
    this.#onEnd = onEnd;
    this.#failed.promise.catch(ignore);
    this.#dispatcher = dial(this);
  }

  /** Takes over a socket that was just opened, connected or not. */
  adopt(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", ignore);
    socket.once("close", () => this.#sockets.delete(socket));
    this.#dials += 1;
    if (this.#dials > MAX_DIALS_PER_REQUEST) {
      const hint = "Check network, firewall and proxy between here and the endpoint.";
      this.fail(unreachable(`${this.#operation}: the connection broke before each try`, hint));
    }
    if (this.#destroyed !== undefined) {
      socket.destroy();
    }
  }

  /** Sends one request, once. Rejects with what {@link fail} was given, or with a PlatformError. */
  async send(wire: WireRequest): Promise<Dispatcher.ResponseData> {
    this.#dials = 0;
    let refusedBefore: { readonly reason: unknown } | undefined;
    const check = (): void => {
      try {
        wire.beforeRequest?.();
      } catch (reason) {
        refusedBefore = { reason };
        throw new Error("cancelled before it was written");
      }
    };
    return await this.guard(async () => {
      try {
        return await this.#dispatcher.compose(beforeRequest(check)).request({
          origin: this.#origin,
          path: wire.target,
          method: wire.method,
          headers: wire.headers,
          body: wire.body === "" ? null : wire.body,
        });
      } catch (thrown) {
        if (refusedBefore !== undefined) {
          this.fail(refusedBefore.reason);
        }
        throw headFault(this.#operation, thrown);
      }
    });
  }

  /** Fails the operation when it is not ended this many milliseconds from now. */
  limitTotalTime(totalMs: number): void {
    const expire = (): void => {
      const hint = "The platform or the network is slow; it is tried again.";
      this.fail(unreachable(`${this.#operation}: no whole answer within ${totalMs} ms`, hint));
    };
    clearTimeout(this.#totalTimer);
    this.#totalTimer = setTimeout(expire, totalMs);
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
    if (this.#destroyed === undefined) {
      this.#failure = { reason };
      this.#failed.reject(reason);
      void this.end();
    }
  }

  /** Destroys every socket. Safe more than once; resolves when they are closed. */
  end(): Promise<void> {
    if (this.#destroyed === undefined) {
      clearTimeout(this.#totalTimer);
      const ended = new Error("the connection was ended");
      this.#destroyed = this.#dispatcher.destroy(ended).then(ignore, ignore);
      for (const socket of this.#sockets) {
        // With an error, because undici stops its connect timer only on that.
        socket.destroy(ended);
      }
      this.#onEnd();
    }
    return this.#destroyed;
  }
}

/** For errors that are certain to be reported another way. */
function ignore(): void {
  // Nothing to do: an error event without any listener would end the process.
}
