import { type ClientRequestArgs, Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent, type RequestOptions } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type ProxySettings, proxyFor } from "./proxy-rules.ts";
import { withTimeLimit } from "./time-limit.ts";
import { openTunnel } from "./tunnel.ts";

/** Agents for a client that stands on Node's own http. */
export interface TunnelAgents {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
}

/** What the AWS SDK gives the agents it makes itself. */
const AS_THE_SDK = { keepAlive: true, maxSockets: 50 } as const;
/** The proxy's whole answer; a client with a shorter limit gives its request up earlier. */
const TUNNEL_TIMEOUT_MS = 10_000;

/**
 * Agents that honour the proxy settings, each connection by its own target. `undefined` when no proxy is set, so
 * that a client's defaults stand. The proxies' passwords are not to be seen on them.
 */
export function tunnelAgents(settings: ProxySettings): TunnelAgents | undefined {
  const isSet = [settings.httpProxy, settings.httpsProxy].some((text) => (text ?? "") !== "");
  return isSet
    ? { httpAgent: new TunnelHttpAgent(settings), httpsAgent: new TunnelHttpsAgent(settings) }
    : undefined;
}

class TunnelHttpAgent extends HttpAgent {
  readonly #tunnels: Tunnels;

  constructor(settings: ProxySettings) {
    super(AS_THE_SDK);
    this.#tunnels = new Tunnels("http:", settings);
  }

  override createConnection(options: ClientRequestArgs, onSocket: OnSocket): Duplex | null | undefined {
    return this.#tunnels.open(options, onSocket, (socket) => socket)
      ? undefined
      : super.createConnection(options, onSocket);
  }

  override destroy(): void {
    this.#tunnels.close();
    super.destroy();
  }
}

class TunnelHttpsAgent extends HttpsAgent {
  readonly #tunnels: Tunnels;

  constructor(settings: ProxySettings) {
    super(AS_THE_SDK);
    this.#tunnels = new Tunnels("https:", settings);
  }

  override createConnection(options: RequestOptions, onSocket: OnSocket): Duplex | null | undefined {
    // Node's own method does TLS on a socket that it is given, and resumes sessions.
    const secure = (socket: Socket) => super.createConnection(Object.assign({}, options, { socket }));
    return this.#tunnels.open(options, onSocket, secure)
      ? undefined
      : super.createConnection(options, onSocket);
  }

  override destroy(): void {
    this.#tunnels.close();
    super.destroy();
  }
}

type OnSocket = (error: Error | null, socket?: Duplex) => void;

interface Target {
  readonly host?: string | null | undefined;
  readonly port?: number | string | null | undefined;
}

/** The tunnels of one agent while they are being opened; after that the agent has them. */
class Tunnels {
  readonly #protocol: "http:" | "https:";
  readonly #settings: ProxySettings;
  readonly #closed = new AbortController();

  constructor(protocol: "http:" | "https:", settings: ProxySettings) {
    this.#protocol = protocol;
    this.#settings = settings;
  }

  /** Opens one for the target, to be reported once; `false` where the target is reached directly. */
  open(target: Target, onSocket: OnSocket, finish: (socket: Socket) => Duplex | null | undefined): boolean {
    const host = target.host ?? "";
    const hostname = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
    const url = URL.parse(`${this.#protocol}//${hostname}:${target.port ?? ""}`);
    const proxy = url === null ? undefined : proxyFor(url, this.#settings);
    if (url === null || proxy === undefined) {
      return false;
    }
    withTimeLimit(this.#closed.signal, TUNNEL_TIMEOUT_MS, (signal) => openTunnel(proxy, url, signal))
      .then(finish)
      .then(
        (socket) => (socket ? onSocket(null, socket) : onSocket(new Error("no socket for the tunnel"))),
        (thrown: unknown) => onSocket(asError(thrown)),
      );
    return true;
  }

  close(): void {
    this.#closed.abort(new Error("the client is closed"));
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error("the tunnel failed", { cause: thrown });
}
