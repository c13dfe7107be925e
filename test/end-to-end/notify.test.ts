import { expect, test } from "vitest";
import { type Answer, Receiver, saying } from "../../lib/notify/testing/receiver.ts";
import { startArchiver } from "./command-line.ts";

const TOKEN = "PlantedToken0123456789";

async function notifyTest(answer: Answer, ...args: readonly string[]) {
  await using receiver = await Receiver.open(answer);
  const hook = `${receiver.origin}/hook/${TOKEN}?key=${TOKEN}`;
  const ended = await startArchiver(["notify", "test", ...args], {
    ARCHIVER_HEARTBEAT_URL: `${receiver.origin}/ping/${TOKEN}`,
    ARCHIVER_NOTIFY: ["", "slack+", "wecom+", "dingtalk+", "feishu+"].map((kind) => kind + hook).join(","),
  }).ended;
  expect(ended.stdout + ended.stderr).not.toContain(TOKEN);
  return { ...ended, host: new URL(receiver.origin).host, received: receiver.received };
}

test("notify test sends one message to each target and one ping, and says that they were taken", async () => {
  const ended = await notifyTest(saying(200, '{"errcode":0,"code":0}'));
  const kinds = ["json", "slack", "wecom", "dingtalk", "feishu"];
  expect(ended).toMatchObject({
    exitCode: 0,
    stderr: "",
    stdout: [...kinds.map((kind) => `${kind} ${ended.host}: ok\n`), "heartbeat: ok\n"].join(""),
  });
  const paths = ended.received.map(({ path }) => path).sort();
  expect(paths).toEqual([...kinds.map(() => `/hook/${TOKEN}?key=${TOKEN}`), `/ping/${TOKEN}`]);
});

test("notify test says of each target why it took no message", async () => {
  const answer: Answer = (response, number) =>
    saying(200, `{"errcode":40035,"code":0,"${TOKEN}":1}`)(response, number);
  const ended = await notifyTest(answer, "--json");
  expect(ended.exitCode).toBe(1);
  const { tried } = JSON.parse(ended.stdout);
  const message = "the receiver refused the message (code 40035)";
  const failure = expect.objectContaining({ code: "notify-refused", message });
  expect(tried).toEqual([
    { target: `json ${ended.host}` },
    { target: `slack ${ended.host}` },
    { target: `wecom ${ended.host}`, failure },
    { target: `dingtalk ${ended.host}`, failure },
    { target: `feishu ${ended.host}` },
    { target: "heartbeat" },
  ]);
});

test("without anybody to tell, notify test is a mistake of the configuration", async () => {
  const { exitCode, stderr } = await startArchiver(["notify", "test"], {}).ended;
  expect({ exitCode, stderr }).toEqual({
    exitCode: 2,
    stderr: expect.stringContaining(
      "ARCHIVER_NOTIFY: is not set. Set it, or ARCHIVER_HEARTBEAT_URL, or both.",
    ),
  });
});
