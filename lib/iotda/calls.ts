import { formatBytes } from "../domain/format-bytes.ts";
import { isProxyAddress, proxyFor } from "../network/proxy-rules.ts";
import { dial } from "../network/tunnel.ts";
import { PlatformError, type TimedCallOptions } from "../ports/platform.ts";
import { MAX_PEEK_BYTES, readText } from "./download.ts";
import { mayNewKeysHelp, statusSpeaksAlone } from "./error-table.ts";
import {
  classifyDisguised,
  classifyRefusal,
  ForbiddenStreak,
  malformedAnswer,
  misconfigured,
  noCredentials,
  parseHttpDateMs,
  type Redact,
  type Refusal,
  redactorFor,
  unreachable,
} from "./errors.ts";
import { type Answer, Exchange, headerOf } from "./exchange.ts";
import { DEFAULT_IOTDA_LIMITS, type IotdaClientOptions, type IotdaLimits } from "./options.ts";
import { type RequestSigner, requestSigner, type UnsignedCall } from "./request-signer.ts";
import { type ErrorBody, parseErrorBody } from "./schemas.ts";
import type { Credentials } from "./signing.ts";

/** What a call is, before it runs. */
export interface CallSpec {
  /** The platform's operation id, for messages. */
  readonly name: string;
  /** The call names one task, so that a 404 may mean that task. */
  readonly aboutTask: boolean;
  /** May be sent once more when its signature was refused: signed again, with new credentials if there are any. */
  readonly repeatWhenRefused: boolean;
  /** Ends on its own after the limit for JSON calls; a download does not. */
  readonly totalTimeLimited: boolean;
}

/** Runs calls: an exchange each, credentials, and the one retry there is. */
export class Calls {
  readonly #credentials: IotdaClientOptions["credentials"];
  readonly #shared: SharedByCalls;
  readonly #proxy: URL | undefined;
  readonly #open = new Set<Exchange>();
  /** Resumed from one call to the next. */
  #tlsSession: Buffer | undefined;
  /** A call that must not be repeated was refused: the next one asks for new credentials first. */
  #refreshNext = false;
  #closed = false;

  /** Throws `platform-misconfigured` for settings that can never work. */
  constructor(options: IotdaClientOptions) {
    const { credentials, wallMs, proxy = {} } = options;
    const limits = { ...DEFAULT_IOTDA_LIMITS, ...options.limits };
    this.#credentials = credentials;
    this.#shared = { signer: requestSigner(options), streak: new ForbiddenStreak(), limits, wallMs };
    const { origin } = this.#shared.signer;
    if (!isProxyAddress(origin.protocol === "https:" ? proxy.httpsProxy : proxy.httpProxy)) {
      throw misconfigured("the proxy address is not a URL", "Set HTTPS_PROXY to http://host:port.");
    }
    this.#proxy = proxyFor(origin, proxy);
  }

  /**
   * Runs a call. Its exchange ends with it; a download ends its own.
   *
   * @throws PlatformError, or the signal's reason as soon as that is aborted.
   */
  async run<T>(spec: CallSpec, signal: AbortSignal, work: (call: Call) => Promise<T>): Promise<T> {
    const refresh = this.#refreshNext;
    this.#refreshNext = false;
    try {
      return await this.#try(spec, signal, refresh, work);
    } catch (thrown) {
      if (!(thrown instanceof PlatformError) || !mayNewKeysHelp(thrown)) {
        throw thrown;
      }
      if (!spec.repeatWhenRefused) {
        this.#refreshNext = true;
        throw thrown;
      }
    }
    // New credentials may be taken, or the same ones with a fresh signature: one refusal does not accuse the clock.
    return await this.#try(spec, signal, !refresh, work);
  }

  /** Fails every call and download under way, and every later one; resolves when their sockets are closed. */
  async close(): Promise<void> {
    this.#closed = true;
    const open = [...this.#open];
    for (const exchange of open) {
      exchange.fail(clientClosed());
    }
    await Promise.all(open.map((exchange) => exchange.end()));
  }

  async #try<T>(
    spec: CallSpec,
    signal: AbortSignal,
    refresh: boolean,
    work: (call: Call) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    if (this.#closed) {
      throw clientClosed();
    }
    const exchange = this.#exchange(spec.name, signal);
    if (spec.totalTimeLimited) {
      exchange.limitTotalTime(this.#shared.limits.jsonTotalMs);
    }
    try {
      const credentials = await exchange.guard(() => this.#currentCredentials(refresh));
      const result = await work(new Call(spec, exchange, credentials, this.#shared));
      if (spec.totalTimeLimited) {
        await exchange.end();
      }
      return result;
    } catch (thrown) {
      void exchange.end();
      throw exchange.reasonFor(thrown);
    }
  }

  #exchange(operation: string, signal: AbortSignal): Exchange {
    const { signer, limits } = this.#shared;
    const exchange: Exchange = new Exchange({
      operation,
      dial: (ended, intake) =>
        dial(signer.origin, {
          proxy: this.#proxy,
          signal: ended,
          intake,
          tlsSession: this.#tlsSession,
          onTlsSession: (session) => {
            this.#tlsSession = session;
          },
        }),
      limits,
      signal,
      onEnd: () => this.#open.delete(exchange),
    });
    this.#open.add(exchange);
    return exchange;
  }

  async #currentCredentials(refresh: boolean): Promise<Credentials> {
    try {
      return await this.#credentials(refresh);
    } catch (thrown) {
      throw noCredentials(thrown);
    }
  }
}

function clientClosed(): Error {
  return unreachable(
    "the platform client is closed",
    "The archiver is stopping. The platform did not cause this.",
  );
}

/** What the calls of one client share. */
interface SharedByCalls {
  readonly signer: RequestSigner;
  readonly streak: ForbiddenStreak;
  readonly limits: IotdaLimits;
  readonly wallMs: () => number;
}

/** One try of one call: sends, and turns what comes back into an answer or a {@link PlatformError}. */
export class Call {
  readonly exchange: Exchange;
  readonly #spec: CallSpec;
  readonly #credentials: Credentials;
  readonly #shared: SharedByCalls;
  readonly #redact: Redact;

  constructor(spec: CallSpec, exchange: Exchange, credentials: Credentials, shared: SharedByCalls) {
    this.#spec = spec;
    this.exchange = exchange;
    this.#credentials = credentials;
    this.#shared = shared;
    this.#redact = redactorFor(credentials);
  }

  /** Signs and sends one request, once. Throws what any other status than the expected one means. */
  async send(
    call: UnsignedCall,
    expectedStatus: number,
    beforeRequest?: TimedCallOptions["beforeRequest"],
  ): Promise<Answer> {
    const { signer, limits, streak } = this.#shared;
    const wire = { ...signer.sign(call, this.#credentials), asksForFile: !this.#spec.totalTimeLimited };
    const answer = await this.exchange.send(wire, beforeRequest);
    if (answer.httpStatus === expectedStatus) {
      return answer;
    }
    if (!this.#spec.totalTimeLimited) {
      // From here on it is not a download any more.
      this.exchange.limitTotalTime(limits.jsonTotalMs);
    }
    const text = await this.#errorText(answer);
    const body = text === undefined ? undefined : parseErrorBody(text);
    throw classifyRefusal(this.#refusal(answer, body), this.#redact, streak);
  }

  /**
   * The body of a refusal; `undefined` when it is too long, or breaks off under a status that says enough. A throttling
   * answer that stalls still counts as throttling: taken for a network error, it would skip the back-off.
   */
  async #errorText(answer: Answer): Promise<string | undefined> {
    try {
      return await this.exchange.guard(() => readText(answer.body, MAX_PEEK_BYTES));
    } catch (thrown) {
      if (statusSpeaksAlone(answer.httpStatus) && this.exchange.passOverCut()) {
        return undefined;
      }
      throw thrown;
    }
  }

  /** The text of a JSON answer; an error in disguise is thrown as what it is. */
  async readJson(answer: Answer): Promise<string> {
    const { maxJsonBytes } = this.#shared.limits;
    const text = await this.exchange.guard(() => readText(answer.body, maxJsonBytes));
    if (text === undefined) {
      throw malformedAnswer(this.#spec.name, `the answer is longer than ${formatBytes(maxJsonBytes)}`);
    }
    this.refuseDisguised(answer, text);
    this.succeeded();
    return text;
  }

  /** Throws the error that a body names under a status of success. */
  refuseDisguised(answer: Answer, text: string): void {
    const error = parseErrorBody(text);
    if (error !== undefined) {
      throw classifyDisguised(this.#refusal(answer, error), this.#redact);
    }
  }

  /** Tells the client that this key is let in. */
  succeeded(): void {
    this.#shared.streak.reset(this.#spec.name);
  }

  #refusal(answer: Answer, body: ErrorBody | undefined): Refusal {
    const { name: operation, aboutTask } = this.#spec;
    return {
      ...{ operation, aboutTask, body, httpStatus: answer.httpStatus },
      requestId: headerOf(answer, "x-request-id"),
      retryAfter: headerOf(answer, "retry-after"),
      dateMs: parseHttpDateMs(headerOf(answer, "date")),
      nowMs: this.#shared.wallMs(),
    };
  }
}
