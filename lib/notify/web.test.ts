import { describe, expect, test } from "vitest";
import type { Message } from "../ports/notifier.ts";
import type { WebKind } from "./bodies.ts";
import { type Answer, drops, floods, hangs, PATIENT, Receiver, SHORT, saying } from "./testing/receiver.ts";
import { sendToWeb } from "./web.ts";

const MESSAGE: Message = {
  kind: "night",
  subject: "OK · 48 of 48 exports safe",
  text: "48 archived\n0 given up\n",
};
const SAID = "OK · 48 of 48 exports safe\n\n48 archived\n0 given up\niotda-archiver";

async function send(kind: WebKind, answer: Answer, message = MESSAGE, limits = PATIENT) {
  await using receiver = await Receiver.open(answer);
  const signal = new AbortController().signal;
  const options = { proxy: {}, limits, signal };
  const failure = await sendToWeb(kind, receiver.address("/hook?key=Token0123456789"), message, options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { failure, received: receiver.received };
}

describe("each service gets what its documentation asks for", () => {
  test.each<[WebKind, string, object]>([
    ["json", "", { schemaVersion: 1, kind: "night", subject: MESSAGE.subject, text: MESSAGE.text }],
    ["slack", "ok", { text: SAID }],
    ["wecom", '{"errcode":0,"errmsg":"ok"}', { msgtype: "text", text: { content: SAID } }],
    ["dingtalk", '{"errcode":0,"errmsg":"ok"}', { msgtype: "text", text: { content: SAID } }],
    ["feishu", '{"code":0,"msg":"success","data":{}}', { msg_type: "text", content: { text: SAID } }],
  ])("%s", async (kind, answer, body) => {
    const { failure, received } = await send(kind, saying(200, answer));
    expect(failure).toBeUndefined();
    expect(received).toEqual([
      {
        method: "POST",
        path: "/hook?key=Token0123456789",
        headers: expect.objectContaining({ "content-type": "application/json; charset=utf-8" }),
        body: expect.any(String),
      },
    ]);
    expect(JSON.parse(received[0]?.body ?? "")).toEqual(body);
  });

  test("a WeCom message has 2,048 bytes at most", async () => {
    const long = { ...MESSAGE, text: "夜".repeat(2_000) };
    const { received } = await send("wecom", saying(200, '{"errcode":0}'), long);
    const { content } = JSON.parse(received[0]?.body ?? "").text;
    expect(Buffer.byteLength(content)).toBeLessThanOrEqual(2_048);
    expect(Buffer.byteLength(content)).toBeGreaterThan(2_040);
    expect(content.endsWith("夜…\niotda-archiver")).toBe(true);
  });

  test("a name in a message calls no channel", async () => {
    const hostile = { ...MESSAGE, text: '<!channel> & <at user_id="all">x</at>' };
    const slack = await send("slack", saying(200), hostile);
    expect(slack.received[0]?.body).toContain("&lt;!channel&gt; &amp; &lt;at");
    const feishu = await send("feishu", saying(200, '{"code":0}'), hostile);
    expect(feishu.received[0]?.body).not.toContain("<");
  });
});

describe("a message counts as not sent", () => {
  test.each<[WebKind, string, string]>([
    ["wecom", '{"errcode":93000,"errmsg":"invalid webhook url"}', "refused the message (code 93000)"],
    [
      "dingtalk",
      '{"errcode":310000,"errmsg":"keywords not in content"}',
      "refused the message (code 310000)",
    ],
    ["feishu", '{"code":19024,"msg":"Key Words Not Found"}', "refused the message (code 19024)"],
    ["feishu", "<html>login</html>", "gave an answer that its service does not give"],
    ["wecom", "[".repeat(1_000), "gave an answer that its service does not give"],
  ])("when %s answers 200 with %s", async (kind, answer, problem) => {
    const { failure, received } = await send(kind, saying(200, answer));
    expect(failure).toMatchObject({ code: "notify-refused", message: `the receiver ${problem}` });
    expect(received).toHaveLength(1);
  });

  test.each<[string, Answer, string, number]>([
    [
      "redirects",
      saying(302, "", { location: "http://127.0.0.1:1/" }),
      "sent the request elsewhere (status 302)",
      1,
    ],
    ["knows no such address", saying(404), "refused the message (status 404)", 1],
    ["fails, and may have taken it", saying(502), "failed (status 502)", 1],
    ["drops the connection", drops, "gave no whole answer (ECONNRESET)", 1],
    ["is too busy, each time", saying(429), "takes no message now (status 429)", 3],
  ])("when the receiver %s", async (_what, answer, problem, requests) => {
    const { failure, received } = await send("json", answer);
    expect(failure).toMatchObject({ message: `the receiver ${problem}` });
    expect(received).toHaveLength(requests);
  });

  test("when the receiver hangs", async () => {
    const { failure } = await send("json", hangs, MESSAGE, SHORT);
    expect(failure).toMatchObject({
      code: "notify-unreachable",
      message: "the receiver did not answer in time",
    });
  });

  test("when nothing listens there, and nothing of the address is said", async () => {
    const receiver = await Receiver.open(hangs);
    const text = receiver.address("/hook?key=Token0123456789").reveal();
    const address = { reveal: () => text };
    await receiver[Symbol.asyncDispose]();
    const { signal } = new AbortController();
    const sending = sendToWeb("json", address, MESSAGE, { proxy: {}, limits: PATIENT, signal });
    const failure = await sending.catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ message: "the receiver could not be reached (ECONNREFUSED)" });
    expect(JSON.stringify([failure, String(failure)])).not.toMatch(/Token|127\.0/);
  });
});

test("a receiver that is busy for a moment gets the message then", async () => {
  const answer: Answer = (response, number) => saying(number < 3 ? 503 : 200)(response, number);
  const { failure, received } = await send("json", answer);
  expect(failure).toBeUndefined();
  expect(received).toHaveLength(3);
});

test("ten megabytes of an answer are not read, and its status counts", async () => {
  expect((await send("json", floods(200))).failure).toBeUndefined();
  expect((await send("feishu", floods(200))).failure).toMatchObject({ code: "notify-refused" });
  expect((await send("json", floods(400))).failure).toMatchObject({ code: "notify-refused" });
});

test("whoever stops the sending learns why", async () => {
  const abort = new AbortController();
  await using receiver = await Receiver.open(() => abort.abort("the run is over"));
  const options = { proxy: {}, limits: PATIENT, signal: abort.signal };
  await expect(sendToWeb("json", receiver.address("/"), MESSAGE, options)).rejects.toBe("the run is over");
});
