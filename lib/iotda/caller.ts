import type { PlatformError, TimedCallOptions } from "../ports/platform.ts";
import { type Connection, ConnectionFactory } from "./connection.ts";
import { MAX_PEEK_BYTES, readText } from "./download.ts";
import { statusSpeaksAlone } from "./error-table.ts";
import {
  type ClassifiedRefusal,
  classifyDisguised,
  classifyRefusal,
  ForbiddenStreak,
  malformedAnswer,
  noCredentials,
  parseHttpDateMs,
  type Redact,
  type Refusal,
  redactorFor,
  unreachable,
} from "./errors.ts";
import {
  type CredentialsProvider,
  DEFAULT_IOTDA_LIMITS,
  type IotdaClientOptions,
  type IotdaLimits,
} from "./options.ts";
import { type PlatformCall, RequestBuilder } from "./request-builder.ts";
import { type ErrorBody, parseErrorBody } from "./schemas.ts";
import type { Credentials } from "./signing.ts";

/** How one try ended, where it did not fail for good. */
type TryResult<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "credentials-refused"; readonly error: unknown };

/** Runs operations: a connection each, credentials, and the one retry there is. */
export class Caller {
  readonly limits: IotdaLimits;
  readonly #connections: ConnectionFactory;
  readonly #provider: CredentialsProvider;
  readonly #context: OperationContext;
  /** A call that must not be repeated was refused: the next one asks for new credentials first. */
  #refreshNext = false;
  #closed = false;

  /** Throws `platform-misconfigured` for settings that can never work. */
  constructor(options: IotdaClientOptions) {
    this.limits = { ...DEFAULT_IOTDA_LIMITS, ...options.limits };
    const builder = new RequestBuilder(options);
    this.#connections = new ConnectionFactory(builder.origin, this.limits, options.proxy ?? {});
    this.#provider = options.credentials;
    this.#context = {
      builder,
      streak: new ForbiddenStreak(),
      wallMs: options.wallMs,
      maxJsonBytes: this.limits.maxJsonBytes,
      jsonTotalMs: this.limits.jsonTotalMs,
    };
  }

  /**
   * Runs an operation. Its connection ends with it, unless the work keeps it by returning something that ends
   * it later (a download).
   *
   * @throws PlatformError, or the signal's reason as soon as that is aborted.
   */
  async run<T>(
    spec: OperationSpec,
    signal: AbortSignal,
    work: (operation: Operation) => Promise<T>,
  ): Promise<T> {
    const refresh = this.#refreshNext;
    this.#refreshNext = false;
    const first = await this.#try(spec, signal, refresh, work);
    if (first.kind === "done") {
      return first.value;
    }
    if (!spec.repeatWhenRefused) {
      this.#refreshNext = true;
      throw first.error;
    }
    // New credentials may be taken, or the same ones with a fresh signature: one refusal does not accuse the clock.
    const second = await this.#try(spec, signal, !refresh, work);
    if (second.kind === "done") {
      return second.value;
    }
    throw second.error;
  }

  /** Fails every operation and download under way, and every later one. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#connections.closeAll(clientClosed());
  }

  async #try<T>(
    spec: OperationSpec,
    signal: AbortSignal,
    refresh: boolean,
    work: (operation: Operation) => Promise<T>,
  ): Promise<TryResult<T>> {
    signal.throwIfAborted();
    if (this.#closed) {
      throw clientClosed();
    }
    const connection = this.#connections.open(spec.name, signal);
    if (spec.totalTimeLimited) {
      connection.limitTotalTime(this.limits.jsonTotalMs);
    }
    try {
      const credentials = await connection.guard(() => this.#credentials(refresh));
      const operation = new Operation(spec, connection, credentials, this.#context);
      try {
        return { kind: "done", value: await work(operation) };
      } catch (error) {
        if (operation.credentialsRefused) {
          void connection.end();
          return { kind: "credentials-refused", error };
        }
        throw error;
      }
    } catch (thrown) {
      void connection.end();
      throw connection.reasonFor(thrown);
    }
  }

  async #credentials(refresh: boolean): Promise<Credentials> {
    try {
      return await this.#provider(refresh);
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

/** What an operation is, before it runs. */
export interface OperationSpec {
  /** The platform's operation id, for messages. */
  readonly name: string;
  /** The call names one task, so that a 404 may mean that task. */
  readonly aboutTask: boolean;
  /** May be sent once more when its signature was refused: signed again, with new credentials if there are any. */
  readonly repeatWhenRefused: boolean;
  /** Ends on its own after the limit for JSON calls; a download does not. */
  readonly totalTimeLimited: boolean;
}

/** An answer whose head has come. */
export interface Answer {
  readonly httpStatus: number;
  /** A header that came exactly once; lowercase name. */
  header(name: string): string | undefined;
  /** All that a header said, each time it came; lowercase name. */
  headerValues(name: string): readonly string[];
  readonly body: AsyncIterable<Uint8Array>;
}

/** What all tries of one client share. */
interface OperationContext {
  readonly builder: RequestBuilder;
  readonly streak: ForbiddenStreak;
  readonly wallMs: () => number;
  readonly maxJsonBytes: number;
  readonly jsonTotalMs: number;
}

/** One try of one operation: sends, and turns what comes back into an answer or a {@link PlatformError}. */
export class Operation {
  readonly connection: Connection;
  readonly #spec: OperationSpec;
  readonly #credentials: Credentials;
  readonly #context: OperationContext;
  readonly #redact: Redact;
  #credentialsRefused = false;

  constructor(
    spec: OperationSpec,
    connection: Connection,
    credentials: Credentials,
    context: OperationContext,
  ) {
    this.#spec = spec;
    this.connection = connection;
    this.#credentials = credentials;
    this.#context = context;
    this.#redact = redactorFor(credentials);
  }

  /** Whether the platform's answer was one that new credentials may cure. */
  get credentialsRefused(): boolean {
    return this.#credentialsRefused;
  }

  /** Signs and sends one request, once. */
  async send(call: PlatformCall, beforeRequest?: TimedCallOptions["beforeRequest"]): Promise<Answer> {
    const signed = this.#context.builder.sign(call, this.#credentials);
    const { httpStatus, headers, body } = await this.connection.send({ ...signed, beforeRequest });
    const headerValues = (name: string): readonly string[] => headers[name] ?? [];
    const header = (name: string): string | undefined => {
      const [value, ...more] = headerValues(name);
      return more.length === 0 ? value : undefined;
    };
    return { httpStatus, header, headerValues, body };
  }

  /** Throws what any other status than the expected one means. */
  async refuseUnless(answer: Answer, expectedStatus: number): Promise<void> {
    if (answer.httpStatus === expectedStatus) {
      return;
    }
    if (!this.#spec.totalTimeLimited) {
      // From here on it is not a download any more.
      this.connection.limitTotalTime(this.#context.jsonTotalMs);
    }
    const text = await this.#errorText(answer);
    const body = text === undefined ? undefined : parseErrorBody(text);
    throw this.#noted(classifyRefusal(this.#refusal(answer, body), this.#redact, this.#context.streak));
  }

  /**
   * The body of a refusal; `undefined` when it is too long, or breaks off under a status that speaks for itself:
   * a throttling answer that stalls must not pass for a dead network, after which nobody would slow down.
   */
  async #errorText(answer: Answer): Promise<string | undefined> {
    try {
      return await this.connection.guard(() => readText(answer.body, MAX_PEEK_BYTES));
    } catch (thrown) {
      if (statusSpeaksAlone(answer.httpStatus) && this.connection.passOverCut()) {
        return undefined;
      }
      throw thrown;
    }
  }

  /** The text of a JSON answer under the expected status; an error in disguise is thrown as what it is. */
  async readJson(answer: Answer, expectedStatus: number): Promise<string> {
    await this.refuseUnless(answer, expectedStatus);
    const text = await this.connection.guard(() => readText(answer.body, this.#context.maxJsonBytes));
    if (text === undefined) {
      throw malformedAnswer(this.#spec.name, `the answer is longer than ${this.#context.maxJsonBytes} bytes`);
    }
    const error = parseErrorBody(text);
    if (error !== undefined) {
      throw this.disguised(answer, error);
    }
    this.succeeded();
    return text;
  }

  /** The error for a body that names an error code under a status of success. */
  disguised(answer: Answer, body: ErrorBody): PlatformError {
    return this.#noted(classifyDisguised(this.#refusal(answer, body), this.#redact));
  }

  /** Tells the client that this key is let in. */
  succeeded(): void {
    this.#context.streak.reset(this.#spec.name);
  }

  #noted(refusal: ClassifiedRefusal): PlatformError {
    this.#credentialsRefused ||= refusal.refreshCredentials;
    return refusal.error;
  }

  #refusal(answer: Answer, body: ErrorBody | undefined): Refusal {
    return {
      operation: this.#spec.name,
      aboutTask: this.#spec.aboutTask,
      httpStatus: answer.httpStatus,
      body,
      requestId: answer.header("x-request-id"),
      retryAfter: answer.header("retry-after"),
      dateMs: parseHttpDateMs(answer.header("date")),
      nowMs: this.#context.wallMs(),
    };
  }
}
