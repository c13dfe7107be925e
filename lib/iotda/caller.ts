import { ConnectionFactory } from "./connection-factory.ts";
import { ForbiddenStreak, noCredentials, unreachable } from "./errors.ts";
import { Operation, type OperationContext, type OperationSpec } from "./operation.ts";
import {
  type CredentialsProvider,
  DEFAULT_IOTDA_LIMITS,
  type IotdaClientOptions,
  type IotdaLimits,
} from "./options.ts";
import { RequestBuilder } from "./request-builder.ts";
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
