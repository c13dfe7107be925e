import type { NotificationPort, Reachable } from "../doctor/ports.ts";
import { reachMailServer, reachWeb } from "../notify/reach.ts";
import type { Target } from "../notify/target.ts";
import type { ResultRedactor } from "../observability/redact.ts";
import { type CommonConfiguration, settingsOfProxy } from "./configuration.ts";
import { withNotificationSecret } from "./notification-secret.ts";

type Settings = Pick<CommonConfiguration, "notification" | "proxy">;

/**
 * Those who are told, as an examination looks at them: it sends them nothing.
 *
 * @throws what the reader of their secret throws.
 */
export async function notificationPort(
  settings: Settings,
  redactor: ResultRedactor,
): Promise<NotificationPort> {
  const whole = await withNotificationSecret(settings, redactor);
  const { heartbeatUrl, targets = [] } = whole.notification;
  const proxy = settingsOfProxy(whole.proxy);
  return {
    heartbeat: heartbeatUrl && {
      name: new URL(heartbeatUrl.reveal()).host,
      connect: (options) => reachWeb(heartbeatUrl, { ...options, proxy, setting: "ARCHIVER_HEARTBEAT_URL" }),
    },
    targets: targets.map((target) => reachable(target, whole)).filter((one) => one !== undefined),
    topics: targets
      .filter(({ kind }) => kind === "sns")
      .map(({ name, address }) => ({
        name,
        subscriptions: async (options) => {
          const { subscriptionsOf } = await import("../notify/topic-subscriptions.ts");
          return await subscriptionsOf(address, { ...options, proxy });
        },
      })),
    names: targets.map(({ name }) => name),
  };
}

/** A topic is asked for its subscriptions instead. */
function reachable(
  { kind, name, address }: Target,
  { notification: { smtpUrl }, proxy: proxies }: Settings,
): Reachable | undefined {
  const proxy = settingsOfProxy(proxies);
  switch (kind) {
    case "sns":
      return undefined;
    case "mail":
      return (
        smtpUrl && {
          name,
          connect: (options) => reachMailServer(smtpUrl, { ...options, proxy, setting: "ARCHIVER_SMTP" }),
        }
      );
    case "json":
    case "slack":
    case "wecom":
    case "dingtalk":
    case "feishu":
      return {
        name,
        connect: (options) => reachWeb(address, { ...options, proxy, setting: "ARCHIVER_NOTIFY" }),
      };
  }
}
