import { expect, test } from "vitest";
import { startTunnelProxy } from "../network/testing/tunnel-proxy.ts";
import type { Message } from "../ports/notifier.ts";
import { sendMail } from "./mail.ts";
import { MailServer } from "./testing/mail-server.ts";
import { hangs, PATIENT, Receiver, SHORT } from "./testing/receiver.ts";

const MESSAGE: Message = {
  kind: "night",
  subject: "OK · 48 exports safe",
  text: "48 archived\n.\n0 given up",
};
const TO = { reveal: () => "watch@example.org" };
const { signal } = new AbortController();

async function send(server: MailServer, user = "", message = MESSAGE, limits = PATIENT) {
  return await sendMail(TO, message, { server: server.address(user), proxy: {}, limits, signal }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}

test("a mail has the verdict as its subject and the digest as its text", async () => {
  await using server = await MailServer.open();
  expect(await send(server, "night%40example.org:Secret%2B1@")).toBeUndefined();
  expect(server.commands.filter((command) => /^(?:AUTH|MAIL|RCPT)/.test(command))).toEqual([
    `AUTH PLAIN ${Buffer.from("\0night@example.org\0Secret+1").toString("base64")}`,
    "MAIL FROM:<night@example.org>",
    "RCPT TO:<watch@example.org>",
  ]);
  const [mail = ""] = server.mails;
  expect(mail).toContain('From: "iotda-archiver" <night@example.org>\r\nTo: watch@example.org\r\n');
  expect(mail).toContain("Subject: =?UTF-8?Q?OK_=C2=B7_48_exports_safe?=\r\n");
  expect(mail).toContain("\r\n\r\n48 archived\r\n..\r\n0 given up");
});

test("no line of a subject becomes a header", async () => {
  await using server = await MailServer.open();
  const subject = "OK\r\nBcc: all@example.org";
  expect(await send(server, "", { ...MESSAGE, subject })).toBeUndefined();
  expect(server.mails[0]).not.toMatch(/^Bcc/m);
  expect(server.commands.filter((command) => command.startsWith("RCPT"))).toHaveLength(1);
});

test.each([
  ["AUTH", "535 wrong password", "the receiver refused the mail (535)", 0],
  ["RCPT", "550 no such user", "the receiver refused the mail (550)", 0],
  ["the mail", "451 later", "the receiver refused the mail (451)", 3],
])("a server that answers %s with %s takes no mail", async (refused, reply, message, mails) => {
  await using server = await MailServer.open((command) => (command.startsWith(refused) ? reply : undefined));
  const failure = await send(server, "PlantedUser:Secret+1@");
  expect(failure).toMatchObject({ code: "notify-refused", message });
  expect(server.mails).toHaveLength(mails);
  expect(JSON.stringify(failure)).not.toMatch(/Secret|Planted|example/);
});

test("a server that hangs is given up", async () => {
  await using receiver = await Receiver.open(hangs);
  const server = { reveal: () => receiver.origin.replace("http", "smtp") };
  const sending = sendMail(TO, MESSAGE, { server, proxy: {}, limits: SHORT, signal });
  await expect(sending).rejects.toMatchObject({ message: "the receiver did not answer in time" });
});

test("a mail goes through the proxy", async () => {
  await using server = await MailServer.open();
  const proxy = await startTunnelProxy();
  const options = { server: server.address(), proxy: { httpsProxy: proxy.url }, limits: PATIENT, signal };
  await sendMail(TO, MESSAGE, options);
  expect(server.mails).toHaveLength(1);
  expect(proxy.targets).toEqual([server.address().reveal().replace("smtp://", "")]);
});
