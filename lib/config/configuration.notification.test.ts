import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { Redactor } from "../observability/redact.ts";
import { readConfiguration } from "./configuration.ts";
import { knownSecrets } from "./names.ts";
import { ALL, LOCAL, problemsOf } from "./testing/variables.ts";

const TOPIC = "arn:aws:sns:eu-west-1:123456789012:archive-alarms";
const TOLD = {
  ...LOCAL,
  ARCHIVER_HEARTBEAT_URL: "https://hc-ping.com/5f2d9c3a-1b2c-4d4e-8f6a-7b8c9d0e1f2a",
  ARCHIVER_NOTIFY: [
    "https://relay.example.org/in?key=JsonToken0123456789",
    "slack+https://hooks.slack.com/services/T00000000/B00000000/SlackToken0123456789",
    " wecom+https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=WecomToken0123456789",
    "dingtalk+https://oapi.dingtalk.com/robot/send?access_token=DingToken0123456789",
    "feishu+https://open.feishu.cn/open-apis/bot/v2/hook/FeishuToken0123456789",
    "feishu+https://open.feishu.cn/open-apis/bot/v2/hook/FeishuToken9876543210",
    `sns:${TOPIC}`,
    "mailto:night.watch@example.org",
    "slack+http://127.0.0.1:8080/SlackToken0123456780",
  ].join(","),
  ARCHIVER_SMTP: "smtps://watch:Mail%40Password123456@mail.example.org:465",
};

describe("who is told", () => {
  test("is read with kind, host and address, each with a name of its own", () => {
    const { targets } = readConfiguration(TOLD, ALL).notification;
    expect(targets?.map(({ name }) => name)).toEqual([
      "json relay.example.org",
      "slack hooks.slack.com",
      "wecom qyapi.weixin.qq.com",
      "dingtalk oapi.dingtalk.com",
      "feishu open.feishu.cn",
      "feishu open.feishu.cn (2)",
      "sns eu-west-1",
      "mail example.org",
      "slack 127.0.0.1:8080",
    ]);
    expect(targets?.slice(5, 8).map(({ kind, address }) => [kind, address.reveal()])).toEqual([
      ["feishu", "https://open.feishu.cn/open-apis/bot/v2/hook/FeishuToken9876543210"],
      ["sns", TOPIC],
      ["mail", "night.watch@example.org"],
    ]);
  });

  test("is shown nowhere: neither the settings nor what of them would do to write to somebody", () => {
    const configuration = readConfiguration(TOLD, ALL);
    expect(inspect(configuration, { depth: 9, showHidden: true })).not.toMatch(
      /Token\d|Password|night\.watch/,
    );
    const redactor = new Redactor(knownSecrets(TOLD));
    const said = `${Object.values(TOLD).slice(-3).join(" ")} /services/T00000000/B00000000/SlackToken0123456789
      key=WecomToken0123456789 5f2d9c3a-1b2c-4d4e-8f6a-7b8c9d0e1f2a Mail@Password123456 night.watch@example.org ${TOPIC}`;
    for (const shown of [redactor.text(said), redactor.result(said)]) {
      expect(shown).not.toMatch(/Token\d|5f2d9c3a|Password1|night\.watch|archive-alarms/);
    }
    expect(redactor.text("2 services, 1 webhook")).toBe("2 services, 1 webhook");
  });

  test.each([
    ["ftp://h.example", "ARCHIVER_NOTIFY: its value (not shown) has an entry that is not a target"],
    ["https://user:pw@h.example", "ARCHIVER_NOTIFY: its value (not shown) has an entry that is not a target"],
    ["slack+http://h.example/x", "ARCHIVER_NOTIFY: its value (not shown) has an http:// address"],
    ["teams+https://h.example", "ARCHIVER_NOTIFY: its value (not shown) has an entry that is not a target"],
    ["https://h.example,,", "ARCHIVER_NOTIFY: its value (not shown) has an entry that is not a target"],
    ["sns:archive-alarms", "ARCHIVER_NOTIFY: its value (not shown) has an entry that is not a target"],
    ["mailto:a@b.example\nBcc: c@d.example", "ARCHIVER_NOTIFY: its value (not shown) has an entry"],
    ["mailto:a@b.example", "ARCHIVER_SMTP: is not set, but ARCHIVER_NOTIFY has a mailto: address"],
    [
      "https://h.example/x,".repeat(21).slice(0, -1),
      "ARCHIVER_NOTIFY: its value (not shown) has more than 20",
    ],
  ])("%j is refused", (text, problem) => {
    expect(problemsOf({ ...LOCAL, ARCHIVER_NOTIFY: text })).toEqual([expect.stringContaining(problem)]);
  });

  test.each(["https://mail.example", "smtp://h/path", "smtp://h?x=1", "smtp://", "smtp://u:p@w:h/x@host"])(
    "the mail server %j is refused",
    (text) => {
      const problem = expect.stringContaining("ARCHIVER_SMTP: its value (not shown) is not");
      expect(problemsOf({ ...LOCAL, ARCHIVER_SMTP: text })).toEqual([problem]);
    },
  );
});

describe("the heartbeat", () => {
  test.each(["http://h.example/x", "https://u@h.example/", "hc-ping.com/1", "https://h.example/#x"])(
    "%j is refused",
    (text) => {
      const problem = expect.stringContaining(
        "ARCHIVER_HEARTBEAT_URL: its value (not shown) is not an https://",
      );
      expect(problemsOf({ ...LOCAL, ARCHIVER_HEARTBEAT_URL: text })).toEqual([problem]);
    },
  );

  test("is needed where messages come on bad nights only", () => {
    const quiet = { ...LOCAL, ARCHIVER_NOTIFY_ON: "problems" };
    expect(problemsOf(quiet)).toEqual([
      "ARCHIVER_NOTIFY_ON: is problems, but ARCHIVER_HEARTBEAT_URL is not set: a night without a run would look like a good one",
    ]);
    const watched = { ...quiet, ARCHIVER_HEARTBEAT_URL: "http://localhost:8000/ping/x" };
    expect(readConfiguration(watched, ALL).notification.notifyOn).toBe("problems");
  });
});
