import { once } from "node:events";
import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect, isIP, type NetConnectOpts, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Intake } from "./intake.ts";
import { bareHost, portOf } from "./proxy-rules.ts";

/** A proxy that is there and opens no tunnel. Adapters give it a hint by its code. */
export class ProxyRefusedError extends Error {
  readonly code: "PROXY_WANTS_CREDENTIALS" | "PROXY_REFUSED";

  constructor(httpStatus: number) {
    super(`the proxy opened no tunnel: status ${httpStatus}`);
    this.name = "ProxyRefusedError";
    this.code = httpStatus === 407 ? "PROXY_WANTS_CREDENTIALS" : "PROXY_REFUSED";
  }
}

/**
 * Opens a tunnel with CONNECT, for `http:` targets like for `https:` ones: what goes through stays out of the
 * proxy's sight and log.
 *
 * @returns a socket on which the target listens, with an error listener of its own.
 * @throws ProxyRefusedError, what Node throws when a connection fails, or the signal's reason; nothing stays open.
 */
export async function openTunnel(proxy: URL, target: URL, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const authority = `${target.hostname}:${portOf(target)}`;
  const send = proxy.protocol === "https:" ? httpsRequest : httpRequest;
  const request = send({
    host: bareHost(proxy.hostname),
    port: portOf(proxy),
    method: "CONNECT",
    path: authority,
    headers: { host: authority, ...authorizationOf(proxy) },
    agent: false,
  });
  request.end();
  const onAbort = (): void => void request.destroy();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const { response, socket, head } = await answered(request);
    if (signal.aborted || response.statusCode !== 200) {
      socket.destroy();
      signal.throwIfAborted();
      throw new ProxyRefusedError(response.statusCode ?? 0);
    }
    if (head.length > 0) {
      socket.unshift(head);
    }
    return socket;
  } catch (thrown) {
    request.destroy();
    signal.throwIfAborted();
    throw thrown;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

interface TunnelAnswer {
  readonly response: IncomingMessage;
  readonly socket: Socket;
  readonly head: Buffer;
}

function answered(request: ClientRequest): Promise<TunnelAnswer> {
  return new Promise((resolve, reject) => {
    request.on("error", reject);
    request.once("connect", (response: IncomingMessage, socket: Socket, head: Buffer) => {
      keepErrorsFromProcess(socket);
      resolve({ response, socket, head });
    });
  });
}

function authorizationOf(proxy: URL): { readonly "proxy-authorization"?: string } {
  if (proxy.username === "" && proxy.password === "") {
    return {};
  }
  const account = `${decoded(proxy.username)}:${decoded(proxy.password)}`;
  return { "proxy-authorization": `Basic ${Buffer.from(account).toString("base64")}` };
}

/** A `%` that begins no escape stands for itself, as URL takes it. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (thrown) {
    if (thrown instanceof URIError) {
      return part;
    }
    throw thrown;
  }
}

/**
 * Waits for a socket to be ready.
 *
 * @throws what the socket failed with, or the signal's reason; the socket is then destroyed.
 */
export async function untilReady<S extends Socket>(
  socket: S,
  event: "connect" | "secureConnect",
  signal: AbortSignal,
): Promise<S> {
  keepErrorsFromProcess(socket);
  try {
    await once(socket, event, { signal });
    signal.throwIfAborted();
    return socket;
  } catch (thrown) {
    socket.destroy();
    signal.throwIfAborted();
    throw thrown;
  }
}

/** An error event without any listener would end the process; whoever uses the socket hears of it anyway. */
function keepErrorsFromProcess(socket: Socket): void {
  socket.on("error", () => undefined);
}

/** What a connection is made with. */
interface DialOptions {
  /** From `proxyFor`. */
  readonly proxy: URL | undefined;
  /** Ends the attempt; nothing stays open. */
  readonly signal: AbortSignal;
  /** Of an earlier connection to the same target, to be resumed. */
  readonly tlsSession?: Buffer | undefined;
  /** Called with each session that may be resumed later. */
  readonly onTlsSession?: (session: Buffer) => void;
  /** Reads the socket where there is no proxy: a tunnel's socket is there before anybody can say where its bytes go. */
  readonly intake?: Intake;
}

/**
 * Opens one connection: TCP or a proxy's tunnel, and TLS where the target is `https:`.
 *
 * @returns a socket on which a request can be written at once; its errors have a listener.
 * @throws ProxyRefusedError, what Node throws when a connection fails, or the signal's reason.
 */
export async function dial(target: URL, options: DialOptions): Promise<Socket> {
  options.signal.throwIfAborted();
  const isSecure = target.protocol === "https:";
  if (options.proxy !== undefined) {
    const tunnel = await openTunnel(options.proxy, target, options.signal);
    return isSecure ? await secured(target, { socket: tunnel }, options) : tunnel;
  }
  const { intake, signal } = options;
  const place = { host: bareHost(target.hostname), port: Number(portOf(target)), noDelay: true };
  const direct = { ...place, ...(intake === undefined ? {} : { onread: intake.onread }) };
  if (isSecure) {
    return await secured(target, direct, options);
  }
  const socket = connect(direct);
  intake?.attach(socket);
  return await untilReady(socket, "connect", signal);
}

/** TLS, over a tunnel or on a connection of its own. */
async function secured(
  target: URL,
  way: { readonly socket: Socket } | NetConnectOpts,
  { signal, tlsSession, onTlsSession, intake }: DialOptions,
): Promise<Socket> {
  const host = bareHost(target.hostname);
  const socket = connectTls({
    ...way,
    host,
    // An address is not a name to ask for (RFC 6066 §3).
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(tlsSession === undefined ? {} : { session: tlsSession }),
    ALPNProtocols: ["http/1.1"],
  });
  if (!("socket" in way)) {
    intake?.attach(socket);
  }
  socket.on("session", (session: Buffer) => onTlsSession?.(session));
  return await untilReady(socket, "secureConnect", signal);
}
