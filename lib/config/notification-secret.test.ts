import { describe, expect, test } from "vitest";
import { Receiver, saying } from "../notify/testing/receiver.ts";
import { Redactor } from "../observability/redact.ts";
import { type CommonConfiguration, readConfiguration } from "./configuration.ts";
import { wireHeartbeat } from "./heartbeat-wiring.ts";
import { withNotificationSecret } from "./notification-secret.ts";
import { type SecretAnswer, serveSecrets } from "./testing/secrets-manager.ts";
import { ALL, LOCAL } from "./testing/variables.ts";

const TOKEN = "PlantedToken0123456789";
const CHECK = `https://hc-ping.com/${TOKEN}`;
const HOOK = `slack+https://hooks.slack.com/services/T0/B0/${TOKEN}`;

let answer: SecretAnswer;
let reads = 0;
serveSecrets(() => {
  reads += 1;
  return answer;
});

const holding = (value: unknown) => ({
  status: 200,
  body: { SecretString: typeof value === "string" ? value : JSON.stringify(value) },
});

function settingsWith(more: Readonly<Record<string, string>> = {}): CommonConfiguration {
  return readConfiguration({ ...LOCAL, ARCHIVER_NOTIFICATION_SECRET: "iotda/told", ...more }, ALL);
}

describe("the secret of those who are told", () => {
  test("adds its targets to those of the environment, each with a name of its own", async () => {
    answer = holding({ heartbeatUrl: CHECK, notify: `${HOOK}, sns:arn:aws:sns:eu-west-1:123456789012:b` });
    const redactor = new Redactor([]);
    const own = settingsWith({
      ARCHIVER_NOTIFY: ["a", "c"].map((topic) => `sns:arn:aws:sns:eu-west-1:123456789012:${topic}`).join(),
    });
    const { notification } = await withNotificationSecret(own, redactor);
    expect(notification.targets?.map(({ name }) => name)).toEqual([
      "sns eu-west-1",
      "sns eu-west-1 (2)",
      "slack hooks.slack.com",
      "sns eu-west-1 (3)",
    ]);
    expect(notification.heartbeatUrl?.reveal()).toBe(CHECK);
    expect(redactor.text(`${CHECK} services/T0/B0/${TOKEN} ${HOOK}`)).not.toContain(TOKEN);
  });

  test("counts after the environment where both name a heartbeat", async () => {
    answer = holding({ heartbeatUrl: CHECK });
    const own = settingsWith({ ARCHIVER_HEARTBEAT_URL: "https://hc-ping.com/own" });
    const { notification } = await withNotificationSecret(own, new Redactor([]));
    expect(notification.heartbeatUrl?.reveal()).toBe("https://hc-ping.com/own");
  });

  test("is not read where none is named", async () => {
    reads = 0;
    const own = readConfiguration(LOCAL, ALL);
    expect(await withNotificationSecret(own, new Redactor([]))).toBe(own);
    expect(wireHeartbeat(own, new Redactor([]))).toBeUndefined();
    expect(reads).toBe(0);
  });

  test.each<[what: string, held: unknown, said: string, more?: Readonly<Record<string, string>>]>([
    ["a text", TOKEN, "names a secret that is not a JSON object"],
    ["a list", [CHECK], 'names a secret that has other fields than "heartbeatUrl" and "notify"'],
    ["another field", { [TOKEN]: CHECK }, 'names a secret that has other fields than "heartbeatUrl"'],
    ["a number", { notify: 12_345 }, 'names a secret that has a "notify" that is not a text'],
    ["no address", { heartbeatUrl: TOKEN }, 'names a secret whose "heartbeatUrl" is not an https:// URL'],
    ["no target", { notify: TOKEN }, 'names a secret whose "notify" has an entry that is not a target'],
    ["a mail", { notify: `mailto:${TOKEN}@h.example` }, "with a mailto: address, and ARCHIVER_SMTP is not"],
    [
      "no heartbeat",
      { notify: HOOK },
      'without "heartbeatUrl", and ARCHIVER_NOTIFY_ON is problems',
      { ARCHIVER_NOTIFY_ON: "problems" },
    ],
  ])("with %s is a wrong setting, named without what it holds", async (_what, held, said, more) => {
    answer = holding(held);
    const error: unknown = await withNotificationSecret(settingsWith(more), new Redactor([])).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: "configuration", message: expect.stringContaining(said) });
    expect(String(error)).toContain("ARCHIVER_NOTIFICATION_SECRET");
    expect(String(error) + JSON.stringify(error)).not.toContain(TOKEN);
  });
});

describe("a heartbeat that a secret names", () => {
  test("is read once, when the first ping is sent", async () => {
    await using receiver = await Receiver.open(saying(200));
    answer = holding({ heartbeatUrl: `${receiver.origin}/${TOKEN}` });
    reads = 0;
    const heartbeat = wireHeartbeat(settingsWith(), new Redactor([]));
    expect(reads).toBe(0);
    const { signal } = new AbortController();
    await heartbeat?.ping("start", "", { signal });
    await heartbeat?.ping("success", "well", { signal });
    expect(receiver.received.map(({ path }) => path)).toEqual([`/${TOKEN}/start`, `/${TOKEN}`]);
    expect(reads).toBe(1);
  });

  test("fails the ping when it cannot be read, and is read again for the next one", async () => {
    await using receiver = await Receiver.open(saying(200));
    answer = { status: 400, body: { __type: "AccessDeniedException", message: TOKEN } };
    const heartbeat = wireHeartbeat(settingsWith(), new Redactor([]));
    const { signal } = new AbortController();
    await expect(heartbeat?.ping("start", "", { signal })).rejects.toThrow(
      "names a secret that this role may not read",
    );
    answer = holding({ heartbeatUrl: `${receiver.origin}/${TOKEN}` });
    await heartbeat?.ping("success", "well", { signal });
    expect(receiver.received.map(({ path }) => path)).toEqual([`/${TOKEN}`]);
  });

  test("is not waited for longer than its ping may take", async () => {
    answer = holding({});
    const heartbeat = wireHeartbeat(settingsWith(), new Redactor([]));
    const reason = new DOMException("over", "TimeoutError");
    await expect(heartbeat?.ping("start", "", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
