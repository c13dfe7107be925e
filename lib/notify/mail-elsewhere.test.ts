import { expect, test } from "vitest";
import { Secret } from "../observability/redact.ts";
import { sendMail } from "./mail-elsewhere.ts";

test("a function sends no mail, and says which way it takes instead", async () => {
  const proxy = { httpProxy: undefined, httpsProxy: undefined, noProxy: undefined };
  const server = new Secret("smtps://mail.example.org");
  const message = { kind: "night", subject: "OK", text: "" } as const;
  const { signal } = new AbortController();
  const sent = sendMail(new Secret("planted@example.org"), message, { server, proxy, signal });
  await expect(sent).rejects.toMatchObject({
    code: "notify-refused",
    retry: "never",
    message: "the receiver is a mail address, and functions send no mail by SMTP",
    hint: expect.stringContaining("sns:ARN"),
  });
});
