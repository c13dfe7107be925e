import { once } from "node:events";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { Exchange, type ExchangeOptions, type WireRequest } from "./exchange.ts";
import { AMPLE_MS, startTcp } from "./testing/loopback.ts";

const REQUEST: WireRequest = { method: "GET", target: "/", headers: { host: "loopback" }, body: "" };

function exchangeOver(dial: ExchangeOptions["dial"], onEnd: () => void = () => undefined): Exchange {
  const limits = { connectMs: AMPLE_MS, headersMs: AMPLE_MS, idleMs: AMPLE_MS };
  return new Exchange({ operation: "List", dial, limits, signal: new AbortController().signal, onEnd });
}

test("a socket that arrives when the exchange has ended is destroyed, and nothing is written on it", async () => {
  const server = await startTcp(() => undefined);
  const dialled = Promise.withResolvers<ReturnType<typeof connect>>();
  let ends = 0;
  const exchange = exchangeOver(
    () => dialled.promise,
    () => {
      ends += 1;
    },
  );
  const sent = exchange.send(REQUEST);
  exchange.fail("over");
  await expect(sent).rejects.toBe("over");
  const socket = connect(server.port, "127.0.0.1");
  await once(socket, "connect");
  dialled.resolve(socket);
  await exchange.end();
  await server.allClosed();
  expect(server.received()).toBe("");
  expect(ends).toBe(1);
});

test("an exchange that ended is not opened again", async () => {
  const exchange = exchangeOver(() => Promise.reject(new Error("dialled")));
  exchange.fail("over");
  await expect(exchange.send(REQUEST)).rejects.toBe("over");
});
