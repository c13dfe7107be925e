import * as v from "valibot";
import { cutToBytes } from "../domain/cut-text.ts";
import { parseJson } from "../domain/json.ts";
import type { Message } from "../ports/notifier.ts";
import type { TargetKind } from "./target.ts";

/** How a service takes a message over HTTP, and how it says that it did not. */
interface Service {
  body(message: Message): object;
  /** `undefined` for a service that says all by the status. */
  readonly answer?: v.GenericSchema<unknown, number>;
}

export type WebKind = Exclude<TargetKind, "sns" | "mail">;

/** WeCom's limit, in UTF-8. */
const WECOM_BYTES = 2_048;
/** DingTalk takes 20,000 bytes a message, Feishu 20 KB; Slack cuts at 40,000 characters. */
const CHAT_BYTES = 16_000;

/** DingTalk and Feishu take messages with a word that their settings ask for: this one stands in each of ours. */
const KEYWORD = "iotda-archiver";

function chatText({ subject, text }: Message, maxBytes = CHAT_BYTES): string {
  const end = `\n${KEYWORD}`;
  const said = text === "" ? subject : `${subject}\n\n${text.trimEnd()}`;
  return `${cutToBytes(said, maxBytes - Buffer.byteLength(end))}${end}`;
}

const errcode = v.pipe(
  v.object({ errcode: v.number() }),
  v.transform((answer) => answer.errcode),
);
const code = v.pipe(
  v.object({ code: v.number() }),
  v.transform((answer) => answer.code),
);

/**
 * By kind. Sources: api.slack.com "Incoming webhooks" and "Escaping text"; developer.work.weixin.qq.com/document/path/91770;
 * open.dingtalk.com "Custom robot"; open.feishu.cn "Custom bot usage guide".
 */
const SERVICES: Readonly<Record<WebKind, Service>> = {
  json: { body: ({ kind, subject, text }) => ({ schemaVersion: 1, kind, subject, text }) },
  // A name of an export must not call a whole channel.
  slack: {
    body: (message) => ({
      text: chatText(message).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;"),
    }),
  },
  wecom: {
    body: (message) => ({ msgtype: "text", text: { content: chatText(message, WECOM_BYTES) } }),
    answer: errcode,
  },
  dingtalk: {
    body: (message) => ({ msgtype: "text", text: { content: chatText(message) } }),
    answer: errcode,
  },
  // Feishu knows no escape for its `<at …>`.
  feishu: {
    body: (message) => ({ msg_type: "text", content: { text: chatText(message).replaceAll("<", "‹") } }),
    answer: code,
  },
};

/** The JSON text that a service of this kind takes. */
export function webBody(kind: WebKind, message: Message): string {
  return JSON.stringify(SERVICES[kind].body(message));
}

/** What a service says in an answer with a status of success: 0 for a message that it took, its own code, or nothing. */
export function codeOfAnswer(kind: WebKind, answer: string): number | undefined {
  const schema = SERVICES[kind].answer;
  if (schema === undefined) {
    return 0;
  }
  const parsed = v.safeParse(schema, parseJson(answer));
  return parsed.success ? parsed.output : undefined;
}
