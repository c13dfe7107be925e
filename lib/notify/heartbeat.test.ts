import { expect, test } from "vitest";
import { createHeartbeat } from "./heartbeat.ts";
import { type Answer, floods, hangs, PATIENT, Receiver, SHORT, saying } from "./testing/receiver.ts";

const { signal } = new AbortController();
const BEATS = ["start", "success", "fail"] as const;

async function ping(path: string, answer: Answer, text = "", limits = PATIENT) {
  await using receiver = await Receiver.open(answer);
  const heartbeat = createHeartbeat(receiver.address(path), { proxy: {}, limits });
  const failures: unknown[] = [];
  for (const beat of BEATS) {
    await heartbeat.ping(beat, text, { signal }).catch((thrown: unknown) => failures.push(thrown));
  }
  return { failures, received: receiver.received };
}

test("a check gets its pings where Healthchecks takes them, with the text as body", async () => {
  const { failures, received } = await ping("/5f2d9c3a-1b2c", saying(200, "OK"), "48 archived\n");
  expect(failures).toEqual([]);
  expect(received.map(({ method, path, body }) => [method, path, body])).toEqual([
    ["POST", "/5f2d9c3a-1b2c/start", "48 archived\n"],
    ["POST", "/5f2d9c3a-1b2c", "48 archived\n"],
    ["POST", "/5f2d9c3a-1b2c/fail", "48 archived\n"],
  ]);
  expect(received[0]?.headers).toMatchObject({ "content-type": "text/plain; charset=utf-8" });
});

test("a query of the address stays behind the path", async () => {
  const { received } = await ping("/key/nightly/?create=1", saying(200));
  expect(received.map(({ path }) => path)).toEqual([
    "/key/nightly/start?create=1",
    "/key/nightly?create=1",
    "/key/nightly/fail?create=1",
  ]);
});

test("no more than 10,000 bytes of the text are sent", async () => {
  const { received } = await ping("/x", saying(200), "夜".repeat(10_000));
  expect(received.map(({ body }) => Buffer.byteLength(body))).toEqual([9_999, 9_999, 9_999]);
});

test("a ping is sent again, up to three times, when the check failed or took no ping", async () => {
  const answer: Answer = (response, number) => saying(number % 3 === 0 ? 200 : 500)(response, number);
  const { failures, received } = await ping("/x", answer);
  expect(failures).toEqual([]);
  expect(received).toHaveLength(9);
});

test.each<[string, Answer, string]>([
  [
    "redirects",
    saying(301, "", { location: "/login" }),
    "the receiver sent the request elsewhere (status 301)",
  ],
  ["is not found", saying(404), "the receiver refused the message (status 404)"],
  ["hangs", hangs, "the receiver did not answer in time"],
])("a check that %s fails the ping", async (_what, answer, message) => {
  const { failures } = await ping("/x", answer, "", SHORT);
  expect(failures).toEqual(BEATS.map(() => expect.objectContaining({ message })));
});

test("ten megabytes of an answer do no harm", async () => {
  expect((await ping("/x", floods(200))).failures).toEqual([]);
});
