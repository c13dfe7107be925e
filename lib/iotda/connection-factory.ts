import { dial } from "../network/dial.ts";
import { isProxyAddress, type ProxySettings, proxyFor } from "../network/proxy-rules.ts";
import { Connection } from "./connection.ts";
import { misconfigured } from "./errors.ts";
import type { IotdaLimits } from "./options.ts";

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
