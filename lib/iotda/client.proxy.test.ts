import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { startTunnelProxy } from "../network/testing/tunnel-proxy.ts";
import { clientFor, platformErrorOf, sendJson, startHttp, startTcp, unaborted } from "./testing/loopback.ts";

function startPlatform(): ReturnType<typeof startHttp> {
  return startHttp((response) => sendJson(response, 200, { export_tasks: [] }));
}

describe("a proxy", () => {
  test("is used through a tunnel, and left without a socket", async () => {
    const platform = await startPlatform();
    const proxy = await startTunnelProxy();
    const client = clientFor(platform.origin, { proxy: { httpProxy: proxy.url } });
    expect((await client.listExportTasks(unaborted())).tasks).toEqual([]);
    expect(proxy.targets).toEqual([`127.0.0.1:${platform.port}`]);
    expect(platform.seen[0]?.headers.host).toBe(`127.0.0.1:${platform.port}`);
    await platform.allClosed();
    await expect.poll(() => proxy.sockets.size).toBe(0);
  });

  test("sees nothing of a request that is cancelled before it is written", async () => {
    const platform = await startTcp(() => undefined);
    const proxy = await startTunnelProxy();
    const client = clientFor(platform.origin, { proxy: { httpProxy: proxy.url } });
    const beforeRequest = (): void => {
      expect(proxy.targets).toHaveLength(1);
      throw new Error("stale");
    };
    await expect(client.showExportTask("t", { ...unaborted(), beforeRequest })).rejects.toThrow("stale");
    await platform.allClosed();
    expect(platform.received()).toBe("");
  });

  test.each([
    ["NO_PROXY names the host", { noProxy: "example.com,127.0.0.1" }],
    ["NO_PROXY is a star", { noProxy: "*" }],
  ])("is not used where %s", async (_, settings) => {
    const platform = await startPlatform();
    const client = clientFor(platform.origin, { proxy: { httpProxy: "http://127.0.0.1:1", ...settings } });
    expect((await client.listExportTasks(unaborted())).tasks).toEqual([]);
    await platform.allClosed();
  });

  test("for the other protocol is not used", async () => {
    const platform = await startPlatform();
    const client = clientFor(platform.origin, { proxy: { httpsProxy: "http://127.0.0.1:1" } });
    expect((await client.listExportTasks(unaborted())).tasks).toEqual([]);
  });

  test.each([
    ["never answers", () => undefined],
    ["hangs up", (socket: Socket) => void socket.once("data", () => socket.end())],
    [
      "refuses",
      (socket: Socket) =>
        void socket.once("data", () => socket.end("HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n")),
    ],
  ])("that %s is unreachable, soon and after a few tries at most", async (_, onSocket) => {
    const proxy = await startTcp(onSocket);
    const client = clientFor("http://127.0.0.1:2", {
      proxy: { httpProxy: proxy.origin },
      limits: { connectMs: 100 },
    });
    expect((await platformErrorOf(client.listExportTasks(unaborted()))).code).toBe("platform-unreachable");
    await proxy.allClosed();
    expect(proxy.accepted()).toBeLessThanOrEqual(4);
  });

  test("that stalls does not hold up an abort", async () => {
    const proxy = await startTcp(() => undefined);
    const controller = new AbortController();
    const client = clientFor("http://127.0.0.1:2", {
      proxy: { httpProxy: proxy.origin },
    });
    const settled = expect(client.showExportTask("t", { signal: controller.signal })).rejects.toBe("stop");
    await expect.poll(() => proxy.received(), { interval: 5 }).toContain("CONNECT");
    controller.abort("stop");
    await settled;
    await proxy.allClosed();
  });
});
