/** Servers on loopback for tests of connections; nothing outside tests imports it. */
import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";

export interface LoopbackTcp {
  readonly port: number;
  /** Open right now. */
  readonly sockets: ReadonlySet<Socket>;
}

export interface TunnelProxy extends LoopbackTcp {
  readonly url: string;
  /** Targets of every CONNECT. */
  readonly targets: readonly string[];
  /** The `proxy-authorization` of each. */
  readonly authorizations: readonly (string | undefined)[];
}

/** Lets a server listen until the test has finished. */
export async function listenOnLoopback(server: Server): Promise<LoopbackTcp> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    for (const socket of sockets) {
      socket.destroy();
    }
    server.close();
    await once(server, "close");
  });
  const address = server.address();
  return { port: typeof address === "object" ? (address?.port ?? 0) : 0, sockets };
}

/** A proxy that opens a tunnel to whatever is asked for, and takes no other request. */
export async function startTunnelProxy(): Promise<TunnelProxy> {
  const targets: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const server = createServer((_request, response) => response.writeHead(405).end());
  server.on("connect", (request, client: Socket) => {
    targets.push(request.url ?? "");
    authorizations.push(request.headers["proxy-authorization"]);
    const [host, port] = (request.url ?? "").split(":");
    const upstream = connect(Number(port), host);
    upstream.on("error", () => client.destroy());
    upstream.once("close", () => client.destroy());
    client.once("close", () => upstream.destroy());
    upstream.once("connect", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      client.pipe(upstream).pipe(client);
    });
  });
  const listening = await listenOnLoopback(server);
  return { ...listening, url: `http://127.0.0.1:${listening.port}`, targets, authorizations };
}
