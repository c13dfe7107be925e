import { createHeartbeat } from "../notify/heartbeat.ts";
import type { Heartbeat } from "../ports/notifier.ts";
import { type CommonConfiguration, settingsOfProxy } from "./configuration.ts";

/** The check that runs ping; `undefined` where none is set. */
export function wireHeartbeat({
  notification,
  proxy,
}: Pick<CommonConfiguration, "notification" | "proxy">): Heartbeat | undefined {
  const { heartbeatUrl } = notification;
  return heartbeatUrl && createHeartbeat(heartbeatUrl, { proxy: settingsOfProxy(proxy) });
}
