import { createHash, randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import {
  bytesOf,
  clientFor,
  platformErrorOf,
  sendJson,
  startHttp,
  startTcp,
  TASK_PATH,
  unaborted,
} from "./testing/loopback.ts";

async function downloadOf(
  body: Uint8Array | string,
  headers: Record<string, string | string[]> = {},
): Promise<Buffer> {
  const server = await startHttp((response) => {
    response.writeHead(200, headers);
    response.end(body);
  });
  try {
    const download = await clientFor(server.origin).showExportTask("task-1", unaborted());
    return await bytesOf(download.body);
  } finally {
    await server.allClosed();
  }
}

describe("a good answer", () => {
  test("gives every byte once, with the length announced", async () => {
    const file = Buffer.concat([Buffer.from("PK\u0003\u0004"), randomBytes(3_000_000)]);
    const server = await startHttp((response) => {
      response.writeHead(200, { "content-length": file.length, "content-type": "text/html" });
      response.end(file);
    });
    const download = await clientFor(server.origin).showExportTask("task_1-A", unaborted());
    expect(download.contentLengthBytes).toBe(file.length);
    expect((await bytesOf(download.body)).equals(file)).toBe(true);
    expect(server.seen[0]?.url.pathname).toBe(`${TASK_PATH}/task_1-A/file`);
    expect(server.seen[0]?.headers["accept-encoding"]).toBe("identity");
    await server.allClosed();
    download.cancel();
  });

  test("without a Content-Length there is none", async () => {
    const server = await startHttp((response) => {
      response.write("PK");
      response.end("more");
    });
    const download = await clientFor(server.origin).showExportTask("task-1", unaborted());
    expect(download.contentLengthBytes).toBeUndefined();
    expect(String(await bytesOf(download.body))).toBe("PKmore");
  });

  test.each([
    ["an empty body", ""],
    ["white space alone", " \r\n\t "],
    ["JSON without an error code", '{"rows": []}'],
    ["half a JSON object", '{"error_code": "IOTDA.000006"'],
    [
      "a JSON object longer than is looked at",
      `{"error_code": "IOTDA.000006", "x": "${"y".repeat(100_000)}"}`,
    ],
    ["XML that is not HTML", `<?xml version="1.0"?><error>${"z".repeat(100)}</error>`],
    ["a little markup", "<htm"],
    ["a tag that only begins like HTML", "<htmlish/>"],
    ["a lone byte order mark", "\ufeff"],
  ])("%s is passed on as it is", async (_, body) => {
    expect(String(await downloadOf(body))).toBe(body);
  });

  test.each([
    ["once", "gzip"],
    ["twice", ["gzip", "gzip"]],
    ["beside none", ["identity", "gzip"]],
  ])("an encoded file is refused, not decoded, where the header says so %s", async (_, encoding) => {
    const call = downloadOf(gzipSync("PK"), { "content-encoding": encoding });
    expect((await platformErrorOf(call)).code).toBe("platform-malformed-answer");
  });

  test("identity is not an encoding", async () => {
    expect(String(await downloadOf("PK", { "content-encoding": "Identity" }))).toBe("PK");
  });
});

describe("errors under status 200", () => {
  test.each([
    ["a known code", '{"error_code":"IOTDA.021101","error_msg":"limit"}', "platform-throttled"],
    ["permission", ' \n{"error_code":"IOTDA.000021"}', "platform-forbidden"],
    ["an unknown code", '{"error_code":"IOTDA.014111","error_msg":"?"}', "platform-disguised-error"],
    ["a code of no known form", '{"error_code":"Whatever"}', "platform-disguised-error"],
    ["the other shape", '\ufeff{"error":{"code":"IOTDA.000007","message":"?"}}', "platform-unavailable"],
    ["HTML", "<!DOCTYPE html><title>login</title>", "platform-disguised-error"],
    ["HTML after space", "\ufeff\r\n  <HTML lang=en>", "platform-disguised-error"],
    ["bare HTML", "<html>", "platform-disguised-error"],
  ])("%s", async (_, body, code) => {
    expect((await platformErrorOf(downloadOf(body))).code).toBe(code);
  });

  test("are found however the bytes are cut", async () => {
    const server = await startHttp((response) => {
      const bytes = Buffer.from('\ufeff {"error_code":"IOTDA.021102"}');
      const writeFrom = (index: number): void => {
        if (index === bytes.length) {
          response.end();
          return;
        }
        response.write(bytes.subarray(index, index + 1), () => setImmediate(writeFrom, index + 1));
      };
      writeFrom(0);
    });
    const error = await platformErrorOf(clientFor(server.origin).showExportTask("task-1", unaborted()));
    expect(error).toMatchObject({ code: "platform-throttled", throttle: { intervals: 2 } });
  });
});

describe("beforeRequest", () => {
  test("runs once, after the connection stands and before a byte is written", async () => {
    const order: string[] = [];
    const server = await startTcp((socket) => {
      order.push("connected");
      socket.once("data", () => {
        order.push("received");
        socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nPK");
      });
    });
    const beforeRequest = (): void => {
      order.push("check");
    };
    const download = await clientFor(server.origin).showExportTask("task-1", {
      ...unaborted(),
      beforeRequest,
    });
    expect(String(await bytesOf(download.body))).toBe("PK");
    expect(order.filter((step) => step === "check")).toHaveLength(1);
    expect(order.indexOf("check")).toBeLessThan(order.indexOf("received"));
  });

  test.each([
    ["an Error", new Error("slot was lost")],
    ["something else", "stale"],
  ])("what it throws (%s) rejects the call, and no byte reaches the server", async (_, reason) => {
    const server = await startTcp(() => undefined);
    const client = clientFor(server.origin);
    const beforeRequest = (): void => {
      throw reason;
    };
    await expect(client.showExportTask("task-1", { ...unaborted(), beforeRequest })).rejects.toBe(reason);
    await expect.poll(() => server.accepted()).toBe(1);
    await server.allClosed();
    expect(server.received()).toBe("");
  });

  test("may abort the call itself, and no byte reaches the server", async () => {
    const server = await startTcp(() => undefined);
    const controller = new AbortController();
    const call = clientFor(server.origin).showExportTask("task-1", {
      signal: controller.signal,
      beforeRequest: () => controller.abort("over"),
    });
    await expect(call).rejects.toBe("over");
    await server.allClosed();
    expect(server.received()).toBe("");
  });
});

describe("cancel", () => {
  test("releases the connection of an unread body, any number of times", async () => {
    const server = await startHttp((response) => {
      response.writeHead(200, { "content-length": 100_000_000 });
      response.write(randomBytes(1_000_000));
    });
    const download = await clientFor(server.origin).showExportTask("task-1", unaborted());
    expect(server.sockets.size).toBe(1);
    download.cancel();
    download.cancel();
    await server.allClosed();
    expect((await platformErrorOf(bytesOf(download.body))).code).toBe("platform-unreachable");
  });

  test("ends a read in progress", async () => {
    const server = await startHttp((response) => {
      response.writeHead(200);
      response.write("PK");
    });
    const download = await clientFor(server.origin).showExportTask("task-1", unaborted());
    const reading = platformErrorOf(bytesOf(download.body));
    download.cancel();
    expect((await reading).code).toBe("platform-unreachable");
    await server.allClosed();
  });

  test("so does a reader that stops early", async () => {
    const server = await startHttp((response) => {
      response.writeHead(200);
      response.write("PK");
    });
    const download = await clientFor(server.origin).showExportTask("task-1", unaborted());
    for await (const chunk of download.body) {
      expect(String(chunk)).toBe("PK");
      break;
    }
    await server.allClosed();
  });
});

describe("ids", () => {
  test.each(["a/../b", "", "x?y=1", "x".repeat(37)])("%j never reaches the network", async (id) => {
    const server = await startHttp((response) => sendJson(response, 200, {}));
    const client = clientFor(server.origin);
    for (const call of [client.showExportTask(id, unaborted()), client.deleteExportTask(id, unaborted())]) {
      expect((await platformErrorOf(call)).code).toBe("platform-rejected-request");
    }
    expect(server.accepted()).toBe(0);
  });
});

test.each([
  ["with", (size: number) => ({ "content-length": size })],
  ["without", () => ({})],
])("a file %s a length gives a slow reader the right bytes", async (_words, headersFor) => {
  const file = Buffer.concat([Buffer.from("PK\u0003\u0004"), randomBytes(3_000_000)]);
  const server = await startHttp((response) => {
    response.writeHead(200, headersFor(file.length));
    response.end(file);
  });
  const { body } = await clientFor(server.origin).showExportTask("task-1", unaborted());
  const hash = createHash("sha256");
  for await (const chunk of body) {
    // What arrives meanwhile must not change a chunk in use.
    await new Promise((resolve) => setImmediate(resolve));
    hash.update(chunk);
  }
  expect(hash.digest("hex")).toBe(createHash("sha256").update(file).digest("hex"));
  await server.allClosed();
});

test.each([
  ["with", true],
  ["without", false],
])(
  "a connection that ends while the reader is slow, %s a length, gives every byte",
  async (_words, withLength) => {
    // undici 7 asserted here, out of anybody's reach, and the process died (nodejs/undici#5360): the last chunk
    // has to fill the 64 KiB that a body buffers.
    const first = Buffer.alloc(1_000, 0x61);
    const last = Buffer.alloc(65_536, 0x62);
    const length = withLength ? `content-length: ${first.length + last.length}\r\n` : "";
    const server = await startTcp((socket) => {
      socket.once("data", async () => {
        socket.write(`HTTP/1.1 200 OK\r\nconnection: close\r\n${length}\r\n`);
        socket.write(first);
        await delay(20);
        socket.write(last);
        await delay(20);
        socket.end();
      });
    });
    const { body } = await clientFor(server.origin).showExportTask("task-1", unaborted());
    const chunks = body[Symbol.asyncIterator]();
    let receivedBytes = (await chunks.next()).value.length;
    await delay(100);
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
      receivedBytes += next.value.length;
    }
    expect(receivedBytes).toBe(first.length + last.length);
  },
);
