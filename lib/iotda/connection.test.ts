import { once } from "node:events";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { Connection, type WireRequest } from "./connection.ts";
import { startTcp } from "./testing/loopback.ts";

const LIMITS = { connectMs: 4_000, headersMs: 4_000, idleMs: 4_000 };
const REQUEST: WireRequest = { method: "GET", target: "/", headers: { host: "loopback" }, body: "" };

test("a socket that arrives when the connection has ended is destroyed, and nothing is written on it", async () => {
  const server = await startTcp(() => undefined);
  const dialled = Promise.withResolvers<ReturnType<typeof connect>>();
  let ends = 0;
  const connection = new Connection(
    "List",
    () => dialled.promise,
    LIMITS,
    () => {
      ends += 1;
    },
  );
  const sent = connection.send(REQUEST);
  connection.fail("over");
  await expect(sent).rejects.toBe("over");
  const socket = connect(server.port, "127.0.0.1");
  await once(socket, "connect");
  dialled.resolve(socket);
  await connection.end();
  await server.allClosed();
  expect(server.received()).toBe("");
  expect(ends).toBe(1);
});

test("a connection that ended is not opened again", async () => {
  const connection = new Connection(
    "List",
    () => Promise.reject(new Error("dialled")),
    LIMITS,
    () => undefined,
  );
  connection.fail("over");
  await expect(connection.send(REQUEST)).rejects.toBe("over");
});
