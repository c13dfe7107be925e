import { once } from "node:events";
import { request } from "node:https";
import { connect, createServer } from "node:net";
import { inspect } from "node:util";
import { type FauxqsServer, startFauxqs } from "fauxqs";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { readConfiguration } from "../../lib/config/configuration.ts";
import { wire } from "../../lib/config/wiring.ts";
import type { ProxySettings } from "../../lib/network/proxy-rules.ts";
import { startTls, trustTestCertificate } from "../../lib/network/testing/tls-server.ts";
import { listenOnLoopback, startTunnelProxy } from "../../lib/network/testing/tunnel-proxy.ts";
import { tunnelAgents } from "../../lib/network/tunnel-agents.ts";
import { SqsQueue } from "../../lib/queue/sqs-queue.ts";
import { AMPLE_TIMEOUTS } from "../../lib/queue/testing/sqs-server.ts";
import { type S3StandIn, startS3 } from "../../sandbox/s3/start.ts";
import { markBucket } from "../end-to-end/archive-marker.ts";
import { impatientClock, storeOn } from "./s3-servers.ts";

const { signal } = new AbortController();

let s3: S3StandIn;
let sqs: FauxqsServer;
beforeAll(async () => {
  const distrust = trustTestCertificate();
  s3 = await startS3();
  sqs = await startFauxqs({ port: 0, logger: false });
  sqs.createQueue("tasks");
  sqs.createQueue("letters");
  return distrust;
});
afterAll(async () => {
  await s3.stop();
  await sqs.stop();
});

/** TLS in front of a server that has none; clients know both as `localhost`. */
async function securedAddress(plainPort: string): Promise<string> {
  const { port } = await startTls((client) => {
    const upstream = connect(Number(plainPort), "127.0.0.1");
    upstream.on("error", () => client.destroy());
    client.once("close", () => upstream.destroy());
    client.pipe(upstream).pipe(client);
  });
  return `https://localhost:${port}`;
}

async function addressOf(server: string, protocol: "http:" | "https:"): Promise<URL> {
  const plain = new URL(server);
  return protocol === "http:" ? plain : new URL(await securedAddress(plain.port));
}

interface Client {
  readonly endpoint: URL;
  /** Some calls, one after the other and side by side. */
  use(): Promise<void>;
  close(): void;
}

async function s3Client(protocol: "http:" | "https:", proxy: ProxySettings): Promise<Client> {
  const endpoint = await addressOf(s3.endpoint, protocol);
  const store = storeOn(s3, { profile: "aws", endpoint }, impatientClock, proxy);
  return {
    endpoint,
    use: async () => {
      const keys = ["state/a.json", "state/b.json", "state/c.json"];
      await Promise.all(
        keys.map(async (key) => await store.putDocument(key, key, { kind: "always" }, { signal })),
      );
      for (const key of keys) {
        expect((await store.getDocument(key, { signal }))?.text).toBe(key);
      }
    },
    close: () => store.close(),
  };
}

async function sqsClient(protocol: "http:" | "https:", proxy: ProxySettings): Promise<Client> {
  const endpoint = await addressOf(sqs.address, protocol);
  const queue = new SqsQueue(
    {
      queueUrl: new URL("/000000000000/tasks", sqs.address),
      deadLetterQueueUrl: new URL("/000000000000/letters", sqs.address),
      visibilityMs: 3_600_000,
      longPollMs: 0,
      endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
      timeouts: AMPLE_TIMEOUTS,
      proxy,
    },
    { clock: impatientClock },
  );
  return {
    endpoint,
    use: async () => {
      await queue.sendBodies(["task-1"], { signal, delayMs: 0 });
      const received = await queue.receive({ signal });
      expect(received?.body).toBe("task-1");
      if (received !== undefined) {
        await queue.acknowledge(received, { signal });
      }
    },
    close: () => queue.close(),
  };
}

const CLIENTS = [
  ["S3 over http", s3Client, "http:", "httpProxy"],
  ["S3 over https", s3Client, "https:", "httpsProxy"],
  ["SQS over http", sqsClient, "http:", "httpProxy"],
  ["SQS over https", sqsClient, "https:", "httpsProxy"],
] as const;

describe.each(CLIENTS)("%s", (_name, makeClient, protocol, setting) => {
  test("goes through the proxy of its protocol, with the proxy's account, and leaves no socket", async () => {
    const proxy = await startTunnelProxy();
    const url = proxy.url.replace("//", "//user:PLANTEDPW@");
    const client = await makeClient(protocol, { [setting]: url });
    await client.use();
    expect(proxy.targets.length).toBeGreaterThan(0);
    expect(new Set(proxy.targets)).toEqual(new Set([client.endpoint.host]));
    expect(new Set(proxy.authorizations)).toEqual(new Set([`Basic ${btoa("user:PLANTEDPW")}`]));
    client.close();
    await expect.poll(() => proxy.sockets.size, { interval: 5 }).toBe(0);
  });

  test("keeps a tunnel for the next call", async () => {
    const proxy = await startTunnelProxy();
    const client = await makeClient(protocol, { [setting]: proxy.url });
    await client.use();
    const tunnels = proxy.targets.length;
    await client.use();
    expect(proxy.targets.length).toBe(tunnels);
    client.close();
  });

  test("goes past a proxy where NO_PROXY says so", async () => {
    const proxy = await startTunnelProxy();
    const client = await makeClient(protocol, { [setting]: proxy.url, noProxy: "localhost,127.0.0.1" });
    await client.use();
    client.close();
    expect(proxy.targets).toEqual([]);
  });

  test.each([
    ["refuses", (status: string) => `HTTP/1.1 ${status}\r\ncontent-length: 0\r\n\r\n`],
    ["is none", () => "SSH-2.0-TokenOfSomebody\r\n\r\n"],
  ])("fails, and shows no secret, when the proxy %s", async (_words, answer) => {
    const { port } = await listenOnLoopback(
      createServer((socket) => socket.once("data", () => socket.end(answer("407 Who are you")))),
    );
    const client = await makeClient(protocol, { [setting]: `http://user:PLANTEDPW@127.0.0.1:${port}` });
    const error: unknown = await client.use().catch((thrown: unknown) => thrown);
    client.close();
    expect(error).toMatchObject({ code: expect.stringMatching(/^(store|queue)-unavailable$/) });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/PLANTEDPW|TokenOfSomebody/);
  });
});

test("the proxy of the environment reaches the platform, S3 and SQS", async () => {
  vi.stubEnv("AWS_ACCESS_KEY_ID", s3.account.accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", s3.account.secretAccessKey);
  onTestFinished(() => void vi.unstubAllEnvs());
  const proxy = await startTunnelProxy();
  const configuration = readConfiguration(
    {
      ARCHIVER_IOTDA_ENDPOINT: "http://127.0.0.1:1",
      ARCHIVER_IOTDA_PROJECT_ID: "0123456789abcdef0123456789abcdef",
      HUAWEICLOUD_SDK_AK: "TESTAK00000000000000",
      HUAWEICLOUD_SDK_SK: "testSecretKey",
      ARCHIVER_STORE: `s3://${s3.bucket}/proxies`,
      ARCHIVER_STORE_PATH_STYLE: "true",
      AWS_ENDPOINT_URL_S3: s3.endpoint,
      AWS_REGION: "us-east-1",
      ARCHIVER_QUEUE: new URL("/000000000000/tasks", sqs.address).href,
      ARCHIVER_DEAD_LETTER_QUEUE: new URL("/000000000000/letters", sqs.address).href,
      http_proxy: proxy.url,
    },
    new Set(["platform", "store", "queue"] as const),
  );
  const { ports, close } = await wire(configuration, () => undefined, { purpose: "work" });
  const { platform, store, queue } = ports;
  await markBucket(s3, "proxies");
  // Only the way is looked at: no server listens at the platform's address, and S3 knows no such key.
  await Promise.allSettled([
    platform.listExportTasks({ signal }),
    store.getDocument("state/a.json", { signal }),
    queue.depth({ signal }),
  ]);
  await close();
  expect(new Set(proxy.targets)).toEqual(
    new Set(["127.0.0.1:1", new URL(s3.endpoint).host, new URL(sqs.address).host]),
  );
  await expect.poll(() => proxy.sockets.size, { interval: 5 }).toBe(0);
});

test("an agent that is destroyed takes a tunnel along that the proxy never opens", async () => {
  const proxy = await listenOnLoopback(createServer((socket) => socket.resume()));
  const agents = tunnelAgents({ httpsProxy: `http://127.0.0.1:${proxy.port}` });
  onTestFinished(() => agents?.httpsAgent.destroy());
  const call = request("https://localhost:1/", { agent: agents?.httpsAgent });
  const failed = once(call, "error");
  call.end();
  await expect.poll(() => proxy.sockets.size, { interval: 5 }).toBe(1);
  agents?.httpsAgent.destroy();
  await failed;
  await expect.poll(() => proxy.sockets.size, { interval: 5 }).toBe(0);
});

test("without a proxy the client's own agents stay", () => {
  expect(tunnelAgents({})).toBeUndefined();
  expect(tunnelAgents({ httpProxy: "", httpsProxy: undefined, noProxy: "*" })).toBeUndefined();
});
