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
  readonly #options: IotdaClientOptions;
  readonly #limits: IotdaLimits;
  readonly #signer: RequestSigner;
  readonly #proxy: URL | undefined;
  readonly #streak = new ForbiddenStreak();
  readonly #open = new Set<Exchange>();
  /** Resumed from one call to the next. */
  #tlsSession: Buffer | undefined;
  /** A call that must not be repeated was refused: the next one asks for new credentials first. */
  #refreshNext = false;
  #closed = false;

  /** Throws `platform-misconfigured` for settings that can never work. */
  constructor(options: IotdaClientOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_IOTDA_LIMITS, ...options.limits };
    this.#signer = requestSigner(options);
    const { origin } = this.#signer;
    const proxy = options.proxy ?? {};
    if (!isProxyAddress(origin.protocol === "https:" ? proxy.httpsProxy : proxy.httpProxy)) {
      throw misconfigured("the proxy address is not a URL", "Set HTTPS_PROXY to http://host:port.");
    }
    this.#proxy = proxyFor(origin, proxy);
  }

  /**
   * Runs a call. Its exchange ends with it, unless the work keeps it by returning something that ends
   * it later (a download).
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
      exchange.limitTotalTime(this.#limits.jsonTotalMs);
    }
    try {
      const credentials = await exchange.guard(() => this.#credentials(refresh));
      const { wallMs } = this.#options;
      return await work(
        new Call({
          ...{ spec, exchange, credentials, wallMs },
          ...{ signer: this.#signer, streak: this.#streak, limits: this.#limits },
        }),
      );
    } catch (thrown) {
      void exchange.end();
      throw exchange.reasonFor(thrown);
    }
  }

  #exchange(operation: string, signal: AbortSignal): Exchange {
    const exchange: Exchange = new Exchange({
      operation,
      dial: (ended) =>
        dial(this.#signer.origin, {
          proxy: this.#proxy,
          signal: ended,
          tlsSession: this.#tlsSession,
          onTlsSession: (session) => {
            this.#tlsSession = session;
          },
        }),
      limits: this.#limits,
      signal,
      onEnd: () => this.#open.delete(exchange),
    });
    this.#open.add(exchange);
    return exchange;
  }

  async #credentials(refresh: boolean): Promise<Credentials> {
    try {
      return await this.#options.credentials(refresh);
    } catch (thrown) {
      throw noCredentials(thrown);
    }
  }
}

function clientClosed(): Error {
  return unreachable(
    "the platform client is closed",
    "The archiver is stopping; this is not the platform's fault.",
  );
}

interface CallContext {
  readonly spec: CallSpec;
  readonly exchange: Exchange;
  readonly credentials: Credentials;
  readonly signer: RequestSigner;
  readonly streak: ForbiddenStreak;
  readonly limits: IotdaLimits;
  readonly wallMs: () => number;
}

/** One try of one call: sends, and turns what comes back into an answer or a {@link PlatformError}. */
export class Call {
  readonly exchange: Exchange;
  readonly #context: CallContext;
  readonly #redact: Redact;

  constructor(context: CallContext) {
    this.exchange = context.exchange;
    this.#context = context;
    this.#redact = redactorFor(context.credentials);
  }

  /** Signs and sends one request, once. */
  async send(call: UnsignedCall, beforeRequest?: TimedCallOptions["beforeRequest"]): Promise<Answer> {
    const { signer, credentials } = this.#context;
    return await this.exchange.send(signer.sign(call, credentials), beforeRequest);
  }

  /** Throws what any other status than the expected one means. */
  async refuseUnless(answer: Answer, expectedStatus: number): Promise<void> {
    if (answer.httpStatus === expectedStatus) {
      return;
    }
    const { spec, limits, streak } = this.#context;
    if (!spec.totalTimeLimited) {
      // From here on it is not a download any more.
      this.exchange.limitTotalTime(limits.jsonTotalMs);
    }
    const text = await this.#errorText(answer);
    const body = text === undefined ? undefined : parseErrorBody(text);
    throw classifyRefusal(this.#refusal(answer, body), this.#redact, streak);
  }

  /**
   * The body of a refusal; `undefined` when it is too long, or breaks off under a status that speaks for itself:
   * a throttling answer that stalls must not pass for a dead network, after which nobody would slow down.
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

  /** The text of a JSON answer under the expected status; an error in disguise is thrown as what it is. */
  async readJson(answer: Answer, expectedStatus: number): Promise<string> {
    await this.refuseUnless(answer, expectedStatus);
    const { maxJsonBytes } = this.#context.limits;
    const text = await this.exchange.guard(() => readText(answer.body, maxJsonBytes));
    if (text === undefined) {
      throw malformedAnswer(this.#context.spec.name, `the answer is longer than ${maxJsonBytes} bytes`);
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
    this.#context.streak.reset(this.#context.spec.name);
  }

  #refusal(answer: Answer, body: ErrorBody | undefined): Refusal {
    const { spec, wallMs } = this.#context;
    return {
      operation: spec.name,
      aboutTask: spec.aboutTask,
      httpStatus: answer.httpStatus,
      body,
      requestId: headerOf(answer, "x-request-id"),
      retryAfter: headerOf(answer, "retry-after"),
      dateMs: parseHttpDateMs(headerOf(answer, "date")),
      nowMs: wallMs(),
    };
  }
}
