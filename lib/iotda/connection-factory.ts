import { Socket } from "node:net";
import { Connection } from "./connection.ts";
import { misconfigured } from "./errors.ts";
import type { IotdaLimits, ProxySettings } from "./options.ts";
import {
  buildConnector,
  Client,
  type Connectors,
  type Dispatcher,
  EnvHttpProxyAgent,
  Pool,
} from "./undici.ts";

/** Opens connections to one origin, directly or through the proxy that the settings name for it. */
export class ConnectionFactory {
  readonly #origin: URL;
  readonly #limits: IotdaLimits;
  readonly #proxyUrl: string | undefined;
  readonly #noProxy: string;
  readonly #open = new Set<Connection>();
  /** Shared, so that TLS sessions are resumed from one operation to the next. */
  readonly #connector: Connectors.connector;

  /** Throws `platform-misconfigured` when the proxy address is none. */
  constructor(origin: URL, limits: IotdaLimits, proxy: ProxySettings) {
    this.#origin = origin;
    this.#limits = limits;
    this.#proxyUrl = checkedProxyUrl(origin.protocol === "https:" ? proxy.httpsProxy : proxy.httpProxy);
    this.#noProxy = proxy.noProxy ?? "";
    this.#connector = buildConnector({ timeout: limits.connectMs, allowH2: false });
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
      this.#origin.origin,
      (dialling) => this.#dispatcherFor(dialling),
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

  #dispatcherFor(connection: Connection): Dispatcher {
    const connect = this.#reportingTo(connection);
    const { connectMs, headersMs, idleMs } = this.#limits;
    const common = { connect, pipelining: 1, headersTimeout: headersMs, bodyTimeout: idleMs, allowH2: false };
    if (this.#proxyUrl === undefined) {
      return new Client(this.#origin, common);
    }
    return new EnvHttpProxyAgent({
      ...common,
      // Given in full, empty where there is none: undici would fill a gap from the environment.
      httpProxy: this.#proxyUrl,
      httpsProxy: this.#proxyUrl,
      noProxy: this.#noProxy,
      requestTls: { timeout: connectMs },
      // The same way for http:// (loopback only) as for https://: undici 8 would send the former in the clear.
      proxyTunnel: true,
      // Without this the proxy would have undici's five minutes to answer CONNECT.
      clientFactory: (proxyOrigin) => new Pool(proxyOrigin, { connect, headersTimeout: connectMs }),
    });
  }

  #reportingTo(connection: Connection): Connectors.connector {
    return (options, callback) => {
      // undici returns the socket while it connects, though its types do not say so.
      const socket: unknown = this.#connector(options, callback);
      if (socket instanceof Socket) {
        connection.adopt(socket);
      }
    };
  }
}

function checkedProxyUrl(text: string | undefined): string | undefined {
  if (text === undefined || text === "") {
    return undefined;
  }
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw misconfigured("the proxy address is not a URL", "Set HTTPS_PROXY to http://host:port.");
  }
  return text;
}
