import { type ClientRequestArgs, Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
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
 * that a client's defaults stand. The proxies' passwords are not to be seen on them. `docs/decisions.md` says why these
 * are not Node's own `proxyEnv` agents.
 */
export function tunnelAgents(settings: ProxySettings): TunnelAgents | undefined {
  const isSet = [settings.httpProxy, settings.httpsProxy].some((text) => (text ?? "") !== "");
  return isSet
    ? {
        httpAgent: tunnelling(new HttpAgent(AS_THE_SDK), "http:", settings),
        httpsAgent: tunnelling(new HttpsAgent(AS_THE_SDK), "https:", settings),
      }
    : undefined;
}

type OnSocket = (error: Error | null, socket?: Duplex) => void;

/** Lets an agent reach its targets through tunnels; those that are being opened end with the agent. */
function tunnelling<Of extends HttpAgent>(
  agent: Of,
  protocol: "http:" | "https:",
  settings: ProxySettings,
): Of {
  const closed = new AbortController();
  const connect: (options: ClientRequestArgs, onSocket?: OnSocket) => Duplex | null | undefined =
    agent.createConnection.bind(agent);
  const destroy = agent.destroy.bind(agent);
  return Object.assign(agent, {
    createConnection(options: ClientRequestArgs, onSocket: OnSocket) {
      const target = urlOf(protocol, options);
      const proxy = target && proxyFor(target, settings);
      if (target === undefined || proxy === undefined) {
        return connect(options, onSocket);
      }
      withTimeLimit(closed.signal, TUNNEL_TIMEOUT_MS, (signal) => openTunnel(proxy, target, signal))
        // Node's own method does TLS on a socket that it is given, and resumes sessions.
        .then((socket) => (protocol === "http:" ? socket : connect(Object.assign({}, options, { socket }))))
        .then(
          (socket) => (socket ? onSocket(null, socket) : onSocket(new Error("no socket for the tunnel"))),
          (thrown: unknown) => onSocket(asError(thrown)),
        );
      return undefined;
    },
    destroy() {
      closed.abort(new Error("the client is closed"));
      destroy();
    },
  });
}

function urlOf(protocol: string, { host, port }: Pick<ClientRequestArgs, "host" | "port">): URL | undefined {
  const name = host ?? "";
  const hostname = name.includes(":") && !name.startsWith("[") ? `[${name}]` : name;
  return URL.parse(`${protocol}//${hostname}:${port ?? ""}`) ?? undefined;
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error("the tunnel failed", { cause: thrown });
}
