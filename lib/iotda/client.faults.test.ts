import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { stopTimers } from "../../sandbox/testing/stopped-timers.ts";
import { PlatformError } from "../ports/platform.ts";
import type { IotdaClient } from "./client.ts";
import type { IotdaLimits } from "./options.ts";
import {
  bytesOf,
  clientFor,
  expectNoSecrets,
  platformErrorOf,
  startTcp,
  unaborted,
} from "./testing/loopback.ts";

type Call = (client: IotdaClient, signal: AbortSignal) => Promise<unknown>;

const CALLS: readonly (readonly [string, Call])[] = [
  ["list", (client, signal) => client.listExportTasks({ signal })],
  [
    "download",
    async (client, signal) => {
      const { body } = await client.showExportTask("task-1", { signal });
      return await bytesOf(body);
    },
  ],
  ["delete", (client, signal) => client.deleteExportTask("task-1", { signal })],
  ["create", (client, signal) => client.createExportTask({ resourceCondition: {} }, { signal })],
];

/** Answers the first bytes of a request with these, and then keeps silent. */
function answering(
  head: string,
  after: (socket: Socket) => void = () => undefined,
): (socket: Socket) => void {
  return (socket) => {
    socket.once("data", () => {
      socket.write(head);
      after(socket);
    });
  };
}

const STALLED_BODY = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nPK";
const ABORTED = new Error("this run is over");

describe.each(CALLS)("%s", (_name, call) => {
  test("no server listens: unreachable", async () => {
    const server = await startTcp((socket) => socket.destroy());
    const error = await platformErrorOf(call(clientFor("http://127.0.0.1:1"), unaborted().signal));
    expect(error).toMatchObject({ code: "platform-unreachable", scope: "task", retry: "later" });
    expect(error.hint).toContain("ARCHIVER_IOTDA_ENDPOINT");
    expect(server.accepted()).toBe(0);
  });

  test("reset before the answer: unreachable, and the request went out exactly once", async () => {
    const server = await startTcp((socket) => socket.once("data", () => socket.resetAndDestroy()));
    const error = await platformErrorOf(call(clientFor(server.origin), unaborted().signal));
    expect(error.code).toBe("platform-unreachable");
    await server.allClosed();
    expect(server.received().match(/ HTTP\/1\.1\r\n/g)).toHaveLength(1);
    expect(server.accepted()).toBe(1);
  });

  test("closed before the answer: unreachable, and the request went out exactly once", async () => {
    const server = await startTcp((socket) => socket.once("data", () => socket.end()));
    const error = await platformErrorOf(call(clientFor(server.origin), unaborted().signal));
    expect(error.code).toBe("platform-unreachable");
    await server.allClosed();
    expect(server.received().match(/ HTTP\/1\.1\r\n/g)).toHaveLength(1);
  });

  test("an answer that is not HTTP: malformed, and nothing of it is kept", async () => {
    const server = await startTcp(answering("SSH-2.0-TokenOfSomebody\r\n\r\n"));
    const error = await platformErrorOf(call(clientFor(server.origin), unaborted().signal));
    expect(error.code).toBe("platform-malformed-answer");
    await server.allClosed();
  });

  test.each([
    ["larger than any real one", `x-filler: ${"TokenOfSomebody".repeat(2_000)}`],
    ["with two lengths", "content-length: 2\r\ncontent-length: 3"],
  ])("a head %s: malformed, and nothing of it is kept", async (_, header) => {
    const server = await startTcp(answering(`HTTP/1.1 200 OK\r\n${header}\r\n\r\nPK`));
    const error = await platformErrorOf(call(clientFor(server.origin), unaborted().signal));
    expect(error.code).toBe("platform-malformed-answer");
    await server.allClosed();
  });

  test.each([
    ["another protocol", "HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"],
    ["an interim answer and no more", "HTTP/1.1 103 Early Hints\r\n\r\n"],
  ])("%s: unreachable, and no socket is left", async (_, head) => {
    const server = await startTcp(answering(head));
    const client = clientFor(server.origin, { limits: { headersMs: 200 } });
    expect((await platformErrorOf(call(client, unaborted().signal))).code).toBe("platform-unreachable");
    await server.allClosed();
  });

  test.each([
    ["400 Bad", "platform-unreachable"],
    ["500 Oops", "platform-unavailable"],
  ])("an error body under %s that trickles: %s at the total limit", async (status, code) => {
    const server = await startTcp(
      answering(`HTTP/1.1 ${status}\r\ncontent-length: 9999\r\n\r\n{`, (socket) => {
        const timer = setInterval(() => socket.write(" "), 20);
        socket.once("close", () => clearInterval(timer));
      }),
    );
    const [idleMs, jsonTotalMs] = [61_000, 150];
    const client = clientFor(server.origin, { limits: { idleMs, jsonTotalMs } });
    const timers = stopTimers();
    const failed = platformErrorOf(call(client, unaborted().signal));
    // Set when the head has come.
    await timers.areSet(idleMs);
    timers.pass(jsonTotalMs);
    const error = await failed;
    expect(error.code).toBe(code);
    expect(error.message).toContain(code === "platform-unreachable" ? "150 ms" : "500");
    await server.allClosed();
  });

  test.each([
    ["before the call", undefined, "http:"],
    ["while connecting", () => undefined, "https:"],
    ["while waiting for the head", () => undefined, "http:"],
    ["inside a head", answering("HTTP/1.1 200 OK\r\n"), "http:"],
    ["inside an error body", answering("HTTP/1.1 500 Oops\r\ncontent-length: 9\r\n\r\n{"), "http:"],
    ["inside a throttling answer", answering("HTTP/1.1 429 No\r\ncontent-length: 9\r\n\r\n{"), "http:"],
  ] as const)(
    "abort %s settles at once with its reason and leaves no socket",
    async (_, onSocket, protocol) => {
      const controller = new AbortController();
      const server = await startTcp((socket) => onSocket?.(socket));
      const client = clientFor(server.origin.replace("http:", protocol));
      if (onSocket === undefined) {
        controller.abort(ABORTED);
      }
      const settled = expect(call(client, controller.signal)).rejects.toBe(ABORTED);
      if (onSocket !== undefined) {
        await expect.poll(() => server.received(), { interval: 5 }).not.toBe("");
        controller.abort(ABORTED);
      }
      await settled;
      await server.allClosed();
      expect(server.accepted()).toBe(onSocket === undefined ? 0 : 1);
    },
  );

  test("close ends it", async () => {
    const server = await startTcp(() => undefined);
    const client = clientFor(server.origin);
    const error = platformErrorOf(call(client, unaborted().signal));
    await expect.poll(() => server.received(), { interval: 5 }).not.toBe("");
    await client.close();
    expect((await error).code).toBe("platform-unreachable");
    await server.allClosed();
    expect((await platformErrorOf(call(client, unaborted().signal))).code).toBe("platform-unreachable");
    expect(server.accepted()).toBe(1);
  });
});

describe("the limits of one step", () => {
  const ERROR_BODY = 'HTTP/1.1 404 No\r\ncontent-length: 99\r\n\r\n{"err';
  const CASES: readonly (readonly [string, string, keyof IotdaLimits, (socket: Socket) => void])[] = [
    ["TLS that never completes", "https:", "connectMs", () => undefined],
    ["no head", "http:", "headersMs", () => undefined],
    ["a head that stops halfway", "http:", "headersMs", answering("HTTP/1.1 200 OK\r\ncontent-le")],
    ["an error body that stalls", "http:", "idleMs", answering(ERROR_BODY)],
  ];

  test.each(CASES)(
    "%s: unreachable for every call, asked once, no socket left",
    async (_, protocol, limit, onSocket) => {
      const server = await startTcp(onSocket);
      const client = clientFor(server.origin.replace("http:", protocol), { limits: { [limit]: 100 } });
      const timers = stopTimers();
      const failed = Promise.all(CALLS.map(([, call]) => platformErrorOf(call(client, unaborted().signal))));
      await timers.until(() => server.accepted() === CALLS.length);
      const errors = await timers.passUntil(failed, 100);
      expect(errors.map(({ code }) => code)).toEqual(CALLS.map(() => "platform-unreachable"));
      expect(errors.filter(({ message }) => !message.includes("within 100 ms"))).toEqual([]);
      await server.allClosed();
      expect(server.accepted()).toBe(CALLS.length);
    },
  );
});

describe("a refusal whose body breaks off", () => {
  const HOWS: readonly (readonly [string, (socket: Socket) => void])[] = [
    ["stalls", () => undefined],
    ["is cut", (socket) => socket.end()],
    ["is reset", (socket) => void socket.resetAndDestroy()],
  ];
  const STATUSES: readonly (readonly [number, string])[] = [
    [401, "platform-unauthenticated"],
    [403, "platform-throttled"],
    [429, "platform-throttled"],
    [500, "platform-unavailable"],
    // What these mean depends on whose code the body has.
    [400, "platform-unreachable"],
    [404, "platform-unreachable"],
    [409, "platform-unreachable"],
  ];
  const CASES = HOWS.flatMap(([how, after]) => STATUSES.map((status) => [...status, how, after] as const));

  test.each(CASES)("%i is %s where it %s, for every call", async (status, code, _how, after) => {
    const head = `HTTP/1.1 ${status} No\r\nretry-after: 7\r\ncontent-length: 99\r\n\r\n{"error_code":"IOTDA.0`;
    const server = await startTcp(answering(head, after));
    for (const [, call] of CALLS) {
      const client = clientFor(server.origin, { limits: { idleMs: 100 } });
      const error = await platformErrorOf(call(client, unaborted().signal));
      const retryAfterMs = code === "platform-throttled" ? 7_000 : undefined;
      expect([error.code, error.throttle?.retryAfterMs]).toEqual([code, retryAfterMs]);
    }
    await server.allClosed();
  });
});

test("a header that came twice counts as absent", async () => {
  const answer = "HTTP/1.1 429 No\r\ncontent-length: 0\r\nretry-after: 5\r\n";
  const waits = await Promise.all(
    ["", "retry-after: 7\r\n"].map(async (again) => {
      const server = await startTcp(answering(`${answer}${again}\r\n`));
      const error = await platformErrorOf(clientFor(server.origin).listExportTasks(unaborted()));
      return error.throttle?.retryAfterMs;
    }),
  );
  expect(waits).toEqual([5_000, undefined]);
});

describe("a list body", () => {
  test("that stalls is unreachable within the idle limit", async () => {
    const server = await startTcp(answering(STALLED_BODY));
    const client = clientFor(server.origin, { limits: { idleMs: 100 } });
    expect((await platformErrorOf(client.listExportTasks(unaborted()))).code).toBe("platform-unreachable");
    await server.allClosed();
  });
});

describe("a download body", () => {
  /** @param whenRead what happens on the server's side once the first bytes were read. */
  async function brokenDownload(
    onSocket: (socket: Socket) => void,
    whenRead: (socket: Socket) => void = () => undefined,
    {
      signal = unaborted().signal,
      limits = {},
    }: { signal?: AbortSignal; limits?: Partial<IotdaLimits> } = {},
  ): Promise<{ read: Buffer; thrown: unknown }> {
    const server = await startTcp(onSocket);
    const client = clientFor(server.origin, { limits });
    const { body } = await client.showExportTask("task-1", { signal });
    const chunks: Uint8Array[] = [];
    let thrown: unknown;
    try {
      for await (const chunk of body) {
        if (chunks.push(Buffer.from(chunk)) === 1) {
          server.sockets.forEach(whenRead);
        }
      }
    } catch (error) {
      thrown = error;
    }
    await server.allClosed();
    return { read: Buffer.concat(chunks), thrown };
  }

  test.each<[string, (socket: Socket) => void, ((socket: Socket) => void)?, Partial<IotdaLimits>?]>([
    ["stalls", answering(STALLED_BODY), () => undefined, { idleMs: 100 }],
    ["is reset", answering(STALLED_BODY), (socket) => void socket.resetAndDestroy()],
    ["ends short of its length", answering(STALLED_BODY, (socket) => socket.end())],
    [
      "has chunks that are none, whose text is not kept,",
      answering("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nPK\r\n"),
      (socket) => void socket.write("no size TokenOfSomebody\r\n"),
    ],
    [
      "ends inside a chunk",
      answering("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\na\r\nPK", (socket) => socket.end()),
    ],
  ])("that %s is unreachable", async (_, onSocket, whenRead, limits = {}) => {
    const { thrown } = await brokenDownload(onSocket, whenRead, { limits });
    expect(thrown).toBeInstanceOf(PlatformError);
    expect(thrown).toMatchObject({ code: "platform-unreachable", scope: "task", retry: "later" });
    if (thrown instanceof Error) {
      expectNoSecrets(thrown);
    }
  });

  test("that stalls where it may still be an error in disguise is unreachable too", async () => {
    const server = await startTcp(answering("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n {"));
    const client = clientFor(server.origin, { limits: { idleMs: 100 } });
    const call = client.showExportTask("task-1", unaborted());
    expect((await platformErrorOf(call)).code).toBe("platform-unreachable");
    await server.allClosed();
  });

  test("without length or chunks ends short in silence: only its content can tell", async () => {
    const { read, thrown } = await brokenDownload(
      answering("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nPK", (socket) => socket.end()),
    );
    expect(thrown).toBeUndefined();
    expect(String(read)).toBe("PK");
  });

  test("with more bytes than its length says gives as many as it says", async () => {
    const { read, thrown } = await brokenDownload(
      answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nPK and more", (socket) => socket.end("more")),
    );
    expect(thrown).toBeUndefined();
    expect(String(read)).toBe("PK");
  });

  test("in progress is ended by an abort, with its reason", async () => {
    const controller = new AbortController();
    const { read, thrown } = await brokenDownload(
      answering(STALLED_BODY),
      () => controller.abort(ABORTED),
      controller,
    );
    expect(String(read)).toBe("PK");
    expect(thrown).toBe(ABORTED);
  });

  test("that is read slowly does not count as silence", async () => {
    const size = 4_000_000;
    const server = await startTcp(
      answering(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`, (socket) =>
        socket.end(Buffer.alloc(size, 80)),
      ),
    );
    const idleMs = 61_000;
    const client = clientFor(server.origin, { limits: { idleMs } });
    const timers = stopTimers();
    const { body } = await client.showExportTask("task-1", unaborted());
    let sizeBytes = 0;
    for await (const chunk of body) {
      timers.pass(sizeBytes === 0 ? 3 * idleMs : 0);
      sizeBytes += chunk.byteLength;
    }
    expect(sizeBytes).toBe(size);
  });
});
