import { rm, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import type { TestContext } from "vitest";
import { LAB_ARCHIVE_ID, markerText } from "./archive-marker.ts";
import { type Fault, NO_SERVER, setting } from "./doctor-fault.ts";
import { cronLine, type DoctorLab } from "./doctor-lab.ts";
import { PROJECT_ID } from "./lab.ts";

const DAY_MS = 86_400_000;
const INVENTORY = `state/inventory/${PROJECT_ID}/default.json`;
const TOPIC = "sns:arn:aws:sns:eu-central-1:123456789012:nights";
const SERVICE = "[Service]\nExecStart=/usr/local/bin/iotda-archiver run\n";

function daysAgo(days: number): string {
  return new Date(Date.now() - days * DAY_MS).toISOString();
}

export const SCHEDULE_FAULTS: readonly Fault[] = [
  {
    fault: "the last good run is three days old",
    check: "last-run",
    status: "hurts",
    remedy: "iotda-archiver run",
    put: (lab) => lab.changeReport((report) => ({ ...report, startedAt: daysAgo(3), endedAt: daysAgo(3) })),
  },
  {
    fault: "a system failure stopped the last run",
    check: "last-failure",
    status: "hurts",
    remedy: "Free the disk.",
    put: (lab) =>
      lab.addReport((report) => ({
        ...report,
        stopReason: "system-failure",
        endedAt: new Date().toISOString(),
        failure: { code: "store-full", message: "the disk is full", hint: "Free the disk." },
      })),
  },
  {
    fault: "an export of two days ago was never enqueued",
    check: "last-discover",
    status: "hurts",
    remedy: "iotda-archiver discover",
    async put(lab) {
      await lab.writeStored("state/discovered.json", {
        enqueuedAt: { "export-01:aaaaaaaa": Date.now() - 5 * DAY_MS },
      });
      await lab.control.addTask({ exportTaskId: "export-09", createTime: daysAgo(2) });
    },
  },
  {
    fault: "the last inventory is three days old",
    check: "last-inventory",
    status: "hurts",
    remedy: "iotda-archiver inventory",
    put: (lab) => lab.changeStored(INVENTORY, (state) => ({ ...state, startedAt: daysAgo(3) })),
  },
  {
    fault: "no inventory was ever taken",
    check: "last-inventory",
    status: "hurts",
    remedy: "iotda-archiver inventory",
    put: (lab) => rm(join(lab.store.path, "state/inventory"), { recursive: true }),
  },
  {
    fault: "nothing starts the runs of a new archive",
    check: "timer",
    status: "hurts",
    remedy: "examples/iotda-archiver.cron",
    async put(lab) {
      await writeFile(join(lab.store.path, "archive.json"), markerText(LAB_ARCHIVE_ID, daysAgo(0)));
      await rm(join(lab.store.path, "runs"), { recursive: true });
      await rm(join(lab.root, "etc"), { recursive: true });
    },
  },
  {
    fault: "cron does not find Node",
    check: "timer-node",
    status: "broken",
    remedy: "Add the folder of node to PATH in ",
    put: (lab) => lab.writeRoot("etc/cron.d/iotda-archiver", cronLine(lab, { path: "/nowhere/bin" })),
  },
  {
    fault: "systemd does not find Node",
    check: "timer-node",
    status: "broken",
    remedy: "iotda-archiver.service",
    async put(lab) {
      await rm(join(lab.root, "etc"), { recursive: true });
      const environment = "Environment=PATH=/nowhere/bin\n";
      await lab.writeRoot("etc/systemd/system/iotda-archiver.service", `${SERVICE}${environment}`);
      await lab.writeRoot("etc/systemd/system/iotda-archiver.timer", "[Timer]\nOnCalendar=*:00/30\n");
    },
  },
  {
    fault: "cron names a file of settings that is not there",
    check: "timer-settings",
    status: "broken",
    remedy: "Correct --config in ",
    put: (lab) =>
      lab.writeRoot("etc/cron.d/iotda-archiver", cronLine(lab, { config: "/nowhere/archiver.env" })),
  },
];

export const NOTIFICATION_FAULTS: readonly Fault[] = [
  setting("no heartbeat", { ARCHIVER_HEARTBEAT_URL: undefined }, [
    "heartbeat",
    "hurts",
    "ARCHIVER_HEARTBEAT_URL",
  ]),
  setting("the heartbeat's host is down", { ARCHIVER_HEARTBEAT_URL: `${NO_SERVER}/planted-token-0001` }, [
    "heartbeat",
    "hurts",
    "ARCHIVER_HEARTBEAT_URL",
  ]),
  setting("a chat is down", { ARCHIVER_NOTIFY: `slack+${NO_SERVER}/planted-token-0001` }, [
    "notify-targets",
    "hurts",
    "ARCHIVER_NOTIFY",
  ]),
  setting(
    "the mail server is down",
    { ARCHIVER_NOTIFY: "mailto:ann@example.org", ARCHIVER_SMTP: "smtp://ann:planted-token-0001@127.0.0.1:1" },
    ["notify-targets", "hurts", "ARCHIVER_SMTP"],
  ),
  {
    fault: "the last message did not arrive",
    check: "notify-unsent",
    status: "hurts",
    remedy: "iotda-archiver notify test",
    async put(lab) {
      const { host, origin } = new URL(lab.heartbeat);
      await lab.writeSettings({ ARCHIVER_NOTIFY: `${origin}/planted-token-0001` });
      const unsent = { [`json ${host}`]: { since: daysAgo(1) } };
      await lab.writeStored(`notifications/state/${PROJECT_ID}/default.json`, {
        schemaVersion: 1,
        told: {},
        unsent,
      });
    },
  },
  {
    fault: "a subscription of the topic was not confirmed",
    check: "notify-topics",
    status: "hurts",
    remedy: "Follow the link",
    put: (lab, context) => topicWith(lab, context, { confirmed: 1, pending: 1 }),
  },
  {
    fault: "the topic has no subscription",
    check: "notify-topics",
    status: "hurts",
    remedy: "Subscribe an address",
    put: (lab, context) => topicWith(lab, context, { confirmed: 0, pending: 0 }),
  },
];

export const ARCHIVE_FAULTS: readonly Fault[] = [
  {
    fault: "a copy is damaged",
    check: "archive-damage",
    status: "hurts",
    remedy: "list --state damaged",
    put: (lab) =>
      lab.changeStored(INVENTORY, (state) => ({
        ...state,
        damage: [{ exportTaskId: "export-01", revision: "aaaaaaaa", key: "exports/x.zip", kind: "missing" }],
      })),
  },
  {
    fault: "orphans lie in the archive",
    check: "archive-orphans",
    status: "hurts",
    remedy: "iotda-archiver sweep",
    put: (lab) =>
      lab.changeStored(INVENTORY, ({ counts, ...state }) => ({
        ...state,
        counts: { ...(counts as object), orphans: 3 },
      })),
  },
  {
    fault: "copies will not be read in time",
    check: "archive-reading",
    status: "hurts",
    remedy: "ARCHIVER_VERIFY_BYTES_PER_DAY",
    put: (lab) => changeVerification(lab, { isLimitKept: false }),
  },
  {
    fault: "the last drill failed",
    check: "archive-drill",
    status: "hurts",
    remedy: "iotda-archiver restore export-01",
    put: (lab) => changeVerification(lab, { drill: { exportTaskId: "export-01", result: "failed" } }),
  },
  {
    fault: "an upload was left open",
    check: "archive-uploads",
    status: "hurts",
    remedy: "iotda-archiver sweep",
    async put(lab) {
      const key = `exports/${PROJECT_ID}/default/2026/11/21/export-09/.aaaaaaaa-bbbbbb.zip.0123456789ab.upload`;
      await lab.writeStored(key, "the beginning");
      const old = new Date(Date.now() - 3 * DAY_MS);
      await utimes(join(lab.store.path, key), old, old);
    },
  },
  {
    fault: "a file below holds/ holds everything",
    check: "archive-holds",
    status: "hurts",
    remedy: "iotda-archiver hold add",
    put: (lab) => lab.writeStored("holds/please keep all.txt", "thanks"),
  },
];

async function changeVerification(lab: DoctorLab, change: object): Promise<void> {
  await lab.changeStored(INVENTORY, ({ verification, ...state }) => ({
    ...state,
    verification: { ...(verification as object), ...change },
  }));
}

/** A topic that has these subscriptions, and a stand-in for SNS that tells nothing else. */
async function topicWith(
  lab: DoctorLab,
  { onTestFinished }: Pick<TestContext, "onTestFinished">,
  { confirmed, pending }: { readonly confirmed: number; readonly pending: number },
): Promise<void> {
  const entry = (key: string, value: number) => `<entry><key>${key}</key><value>${value}</value></entry>`;
  const entries = `${entry("SubscriptionsConfirmed", confirmed)}${entry("SubscriptionsPending", pending)}`;
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { "content-type": "text/xml" });
    response.end(
      `<GetTopicAttributesResponse><GetTopicAttributesResult><Attributes>${entries}</Attributes></GetTopicAttributesResult></GetTopicAttributesResponse>`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  lab.environment = { AWS_ENDPOINT_URL_SNS: `http://127.0.0.1:${port}` };
  await lab.writeSettings({ ARCHIVER_NOTIFY: TOPIC });
}
