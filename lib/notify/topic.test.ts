import { expect, test } from "vitest";
import type { Message } from "../ports/notifier.ts";
import { type Answer, drops, hangs, PATIENT, Receiver, SHORT, saying } from "./testing/receiver.ts";
import { publish } from "./topic.ts";

const TOPIC = { reveal: () => "arn:aws:sns:eu-west-1:123456789012:archive-alarms" };
const MESSAGE: Message = { kind: "night", subject: "OK · 48 of 48 exports safe", text: "48 archived" };
const TAKEN = `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>
  <MessageId>1</MessageId></PublishResult></PublishResponse>`;
const REFUSED = `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type>
  <Code>AuthorizationError</Code><Message>not for PlantedKey</Message></Error></ErrorResponse>`;
const { signal } = new AbortController();

async function send(answer: Answer, message = MESSAGE, limits = PATIENT) {
  await using receiver = await Receiver.open(answer);
  const credentials = { accessKeyId: "PlantedKeyId", secretAccessKey: "PlantedKey" };
  const client = { endpoint: receiver.origin, credentials };
  const failure = await publish(TOPIC, message, { proxy: {}, limits, signal, client }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { failure, sent: receiver.received.map(({ body }) => new URLSearchParams(body)) };
}

test("a topic gets subject and text", async () => {
  const { failure, sent } = await send(saying(200, TAKEN));
  expect(failure).toBeUndefined();
  expect(sent.map((fields) => Object.fromEntries(fields))).toEqual([
    {
      Action: "Publish",
      Version: "2010-03-31",
      TopicArn: TOPIC.reveal(),
      Subject: "OK, 48 of 48 exports safe",
      Message: "OK · 48 of 48 exports safe\n\n48 archived",
    },
  ]);
});

test.each([
  ["正常 · 48 个导出均安全", "IoTDA export archiver"],
  ["ACT\r\nBcc: x", "ACT?Bcc: x"],
  ["LOOK · nightly f… missing", "LOOK, nightly f... missing"],
  [`OK ${"x".repeat(200)}`, `OK ${"x".repeat(96)}`],
])("of %j the subject is one line of ASCII", async (subject, shown) => {
  const { sent } = await send(saying(200, TAKEN), { ...MESSAGE, subject });
  expect(sent[0]?.get("Subject")).toBe(shown);
});

test.each<[string, Answer, string, number]>([
  ["refuses", saying(403, REFUSED), "the receiver refused the message (AuthorizationErrorException)", 1],
  ["drops the connection", drops, "the receiver could not be reached", 1],
  ["hangs", hangs, "the receiver did not answer in time", 1],
])("a topic that %s was not told", async (what, answer, message, requests) => {
  const { failure, sent } = await send(answer, MESSAGE, what === "hangs" ? SHORT : PATIENT);
  expect(failure).toMatchObject({ message: expect.stringContaining(message) });
  expect(String(failure) + JSON.stringify(failure)).not.toMatch(/Planted|archive-alarms/);
  expect(sent).toHaveLength(requests);
});
