import { createNotifier } from "../notify/notifier.ts";
import type { Notifier } from "../ports/notifier.ts";
import { type CommonConfiguration, settingsOfProxy } from "./configuration.ts";

/** Those who are told, none where none is set. */
export function wireNotifier({
  notification: { targets = [], smtpUrl },
  proxy,
}: Pick<CommonConfiguration, "notification" | "proxy">): Notifier {
  return createNotifier(targets, { server: smtpUrl, proxy: settingsOfProxy(proxy) });
}
