import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { bareHost, portOf } from "./proxy-rules.ts";
import { openTunnel, untilReady } from "./tunnel.ts";

/** What a connection is made with. */
export interface DialOptions {
  /** From `proxyFor`. */
  readonly proxy: URL | undefined;
  /** Ends the attempt; nothing stays open. */
  readonly signal: AbortSignal;
  /** Of an earlier connection to the same target, to be resumed. */
  readonly tlsSession?: Buffer | undefined;
  /** Called with each session that may be resumed later. */
  readonly onTlsSession?: (session: Buffer) => void;
}

/**
 * Opens one connection: TCP or a proxy's tunnel, and TLS where the target is `https:`.
 *
 * @returns a socket on which a request can be written at once; its errors have a listener.
 * @throws ProxyRefusedError, what Node throws when a connection fails, or the signal's reason.
 */
export async function dial(target: URL, options: DialOptions): Promise<Socket> {
  const { proxy, signal } = options;
  signal.throwIfAborted();
  const host = bareHost(target.hostname);
  const socket =
    proxy === undefined
      ? await untilReady(connect({ host, port: Number(portOf(target)), noDelay: true }), "connect", signal)
      : await openTunnel(proxy, target, signal);
  if (target.protocol !== "https:") {
    return socket;
  }
  const secured = connectTls({
    socket,
    host,
    // An address is no name to ask for (RFC 6066 §3).
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(options.tlsSession === undefined ? {} : { session: options.tlsSession }),
    ALPNProtocols: ["http/1.1"],
  });
  secured.on("session", (session: Buffer) => options.onTlsSession?.(session));
  return await untilReady(secured, "secureConnect", signal);
}
