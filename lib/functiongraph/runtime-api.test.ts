import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { RuntimeApi } from "./runtime-api.ts";

type Reply = (response: ServerResponse, request: IncomingMessage) => void;

interface Seen {
  readonly request: string;
  readonly body: string;
}

const KEYS = {
  "X-CFF-Access-Key": "AGENCYAK",
  "X-CFF-Secret-Key": "agency-secret",
  "X-CFF-Security-Token": "agency-token",
};

/** A runtime API that answers by a script, one reply a request. */
async function startApi(...replies: Reply[]) {
  const seen: Seen[] = [];
  const server = createServer({ maxHeaderSize: 1_000_000 }, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk);
    }
    seen.push({ request: `${request.method} ${request.url}`, body: Buffer.concat(chunks).toString("utf8") });
    const reply = replies.shift();
    reply === undefined ? response.destroy() : reply(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const pauses: number[] = [];
  const troubles: unknown[] = [];
  const api = new RuntimeApi(`127.0.0.1:${(server.address() as AddressInfo).port}`, {
    clock: { sleep: async (ms) => void pauses.push(ms) },
    onTrouble: (error) => troubles.push(error),
  });
  return { api, seen, pauses, troubles };
}

function invocation(headers: Readonly<Record<string, string>>, body = "{}"): Reply {
  return (response) => response.writeHead(200, { "X-Cff-Request-Id": "request-1", ...headers }).end(body);
}

const cut: Reply = (response) => response.destroy();
const status = (code: number): Reply => {
  return (response) => response.writeHead(code).end();
};

test("an invocation has its id, its body and the keys of the agency", async () => {
  const { api, seen } = await startApi(invocation(KEYS, '{"when":"always"}'));
  expect(await api.next()).toEqual({
    requestId: "request-1",
    keys: { accessKeyId: "AGENCYAK", secretAccessKey: "agency-secret", securityToken: "agency-token" },
    body: '{"when":"always"}',
  });
  expect(seen).toEqual([{ request: "GET /v1/runtime/invocation/request", body: "" }]);
});

test("the keys that a container is given count before those of the other kind, where both of them come", async () => {
  const ofContainer = {
    "X-CFF-Security-Access-Key": "TEMPORARYAK",
    "X-CFF-Security-Secret-Key": "temporary",
  };
  const { api } = await startApi(
    invocation({ ...KEYS, ...ofContainer }),
    invocation({ ...KEYS, "X-CFF-Security-Access-Key": "TEMPORARYAK", "X-CFF-Security-Secret-Key": "" }),
    invocation({}),
  );
  expect((await api.next()).keys).toMatchObject({ accessKeyId: "TEMPORARYAK", secretAccessKey: "temporary" });
  expect((await api.next()).keys).toMatchObject({
    accessKeyId: "AGENCYAK",
    secretAccessKey: "agency-secret",
  });
  expect(Object.values((await api.next()).keys)).toEqual([undefined, undefined, undefined]);
});

test("a token of the account as long as they get does not stop an invocation", async () => {
  const { api } = await startApi(invocation({ ...KEYS, "X-CFF-Auth-Token": "t".repeat(100_000) }));
  expect(await api.next()).toMatchObject({ requestId: "request-1" });
});

test("a body that is larger than any event is left out, and the invocation is known", async () => {
  const { api } = await startApi(invocation(KEYS, "x".repeat(6_291_457)));
  expect(await api.next()).toMatchObject({ requestId: "request-1", body: undefined });
});

test("it waits for an invocation whatever the API does, in growing pauses, and says so once", async () => {
  const brokenOff: Reply = (response) => {
    response.writeHead(200, { "X-Cff-Request-Id": "request-0", "content-length": "9" }).write("{", () => {
      response.destroy();
    });
  };
  const noId: Reply = (response) => response.writeHead(200).end();
  const oddId = invocation({ "X-Cff-Request-Id": "../../x" });
  const { api, pauses, troubles } = await startApi(
    cut,
    noId,
    status(500),
    brokenOff,
    oddId,
    cut,
    invocation(KEYS),
  );
  expect(await api.next()).toMatchObject({ requestId: "request-1" });
  expect(pauses).toEqual([50, 100, 200, 400, 800, 1_000]);
  expect(troubles).toMatchObject([{ code: "runtime-api-failed", scope: "system" }]);
});

test("how an invocation ended is told again when the answer was lost or was no yes", async () => {
  const { api, seen } = await startApi(cut, status(503), status(200));
  await api.tell("response", "request-1", '{"runId":"1"}');
  expect(seen).toEqual(
    Array(3).fill({ request: "POST /v1/runtime/invocation/response/request-1", body: '{"runId":"1"}' }),
  );
});

test("it is not told for ever", async () => {
  const { api, seen, pauses } = await startApi(...Array<Reply>(9).fill(status(404)));
  await expect(api.tell("error", "request-1", "{}")).rejects.toMatchObject({
    code: "runtime-api-failed",
    message: expect.stringContaining("answered 404"),
  });
  expect(seen).toHaveLength(4);
  expect(pauses).toEqual([50, 200, 800]);
});
