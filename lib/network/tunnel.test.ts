import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { beforeAll, describe, expect, test } from "vitest";
import { startTls, trustTestCertificate } from "./testing/tls-server.ts";
import { listenOnLoopback, startTunnelProxy } from "./testing/tunnel-proxy.ts";
import { dial, ProxyRefusedError } from "./tunnel.ts";

beforeAll(trustTestCertificate);

const signal = new AbortController().signal;

/** Says which name it was asked for and whether the session was resumed. */
function tell(socket: TLSSocket): void {
  socket.write(JSON.stringify({ name: socket.servername, isResumed: socket.isSessionReused() }));
}

async function toldBy(socket: Socket): Promise<unknown> {
  const [chunk] = await once(socket, "data");
  return JSON.parse(String(chunk));
}

describe.each([
  ["directly", async (): Promise<URL | undefined> => undefined],
  ["through a proxy", async () => new URL((await startTunnelProxy()).url)],
] as const)("TLS %s", (_, startProxy) => {
  test("asks for the name, and resumes the session the next time", async () => {
    const server = await startTls(tell);
    const target = new URL(`https://localhost:${server.port}`);
    const proxy = await startProxy();
    const sessions: Buffer[] = [];
    const options = { proxy, signal, onTlsSession: (session: Buffer) => void sessions.push(session) };
    const first = await dial(target, options);
    expect(await toldBy(first)).toEqual({ name: "localhost", isResumed: false });
    await expect.poll(() => sessions.length, { interval: 5 }).toBeGreaterThan(0);
    first.destroy();
    const second = await dial(target, { proxy, signal, tlsSession: sessions[0] });
    expect(await toldBy(second)).toEqual({ name: "localhost", isResumed: true });
    second.destroy();
    await expect.poll(() => server.sockets.size, { interval: 5 }).toBe(0);
  });

  test("refuses a certificate for another name", async () => {
    const server = await startTls(tell);
    const dialling = dial(new URL(`https://127.0.0.1:${server.port}`), { proxy: await startProxy(), signal });
    await expect(dialling).rejects.toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
    await expect.poll(() => server.sockets.size, { interval: 5 }).toBe(0);
  });

  test("that stalls ends with the signal, and leaves no socket", async () => {
    const server = await listenOnLoopback(createServer((socket) => socket.resume()));
    const controller = new AbortController();
    const proxy = await startProxy();
    const dialling = dial(new URL(`https://localhost:${server.port}`), { proxy, signal: controller.signal });
    const settled = expect(dialling).rejects.toBe("stop");
    await expect.poll(() => server.sockets.size, { interval: 5 }).toBe(1);
    controller.abort("stop");
    await settled;
    await expect.poll(() => server.sockets.size, { interval: 5 }).toBe(0);
  });
});

test("an unused socket that fails closes, and the process goes on", async () => {
  const server = await listenOnLoopback(createServer());
  const socket = await dial(new URL(`http://127.0.0.1:${server.port}`), { proxy: undefined, signal });
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.destroy(new Error("broken"));
  expect(await closed).toBe(true);
});

describe("a proxy", () => {
  test.each([
    ["user:pass%40word@", "user:pass@word"],
    ["user@", "user:"],
    ["100%:x@", "100%:x"],
  ])("is told the account of %s", async (account, told) => {
    const proxy = await startTunnelProxy();
    const server = await listenOnLoopback(createServer());
    const proxyUrl = new URL(`http://${account}127.0.0.1:${proxy.port}`);
    const socket = await dial(new URL(`http://127.0.0.1:${server.port}`), { proxy: proxyUrl, signal });
    socket.destroy();
    expect(proxy.authorizations).toEqual([`Basic ${Buffer.from(told).toString("base64")}`]);
  });

  test("spoken to over TLS opens tunnels too", async () => {
    const plain = await startTunnelProxy();
    const secured = await startTls((client) => {
      const upstream = connect(plain.port, "127.0.0.1");
      client.pipe(upstream).pipe(client);
      client.once("close", () => upstream.destroy());
    });
    const server = await startTls(tell);
    const proxy = new URL(`https://localhost:${secured.port}`);
    const socket = await dial(new URL(`https://localhost:${server.port}`), { proxy, signal });
    expect(await toldBy(socket)).toMatchObject({ name: "localhost" });
    socket.destroy();
    expect(plain.targets).toEqual([`localhost:${server.port}`]);
  });

  test.each([
    [407, "PROXY_WANTS_CREDENTIALS"],
    [403, "PROXY_REFUSED"],
  ])("that answers %i is an error with a code, and left without a socket", async (status, code) => {
    const proxy = await listenOnLoopback(
      createServer((socket) => socket.once("data", () => socket.write(`HTTP/1.1 ${status} No\r\n\r\n`))),
    );
    const dialling = dial(new URL("https://localhost:1"), {
      proxy: new URL(`http://user:PLANTEDPW@127.0.0.1:${proxy.port}`),
      signal,
    });
    const error: unknown = await dialling.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ProxyRefusedError);
    expect(error).toMatchObject({ code });
    expect(String(error)).not.toContain("PLANTEDPW");
    await expect.poll(() => proxy.sockets.size, { interval: 5 }).toBe(0);
  });
});
