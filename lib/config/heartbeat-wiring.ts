import { createHeartbeat } from "../notify/heartbeat.ts";
import type { ResultRedactor } from "../observability/redact.ts";
import type { Heartbeat } from "../ports/notifier.ts";
import type { Pinging } from "../report/heartbeat.ts";
import { type CommonConfiguration, settingsOfProxy } from "./configuration.ts";
import { systemClock } from "./system.ts";

type Settings = Pick<CommonConfiguration, "notification" | "proxy">;

/** The check that runs ping; `undefined` where none is set. */
export function wireHeartbeat({ notification, proxy }: Settings): Heartbeat | undefined {
  const { heartbeatUrl } = notification;
  return heartbeatUrl && createHeartbeat(heartbeatUrl, { proxy: settingsOfProxy(proxy) });
}

/** What a run pings with. */
export function wirePinging(
  settings: Settings,
  redactor: Pick<ResultRedactor, "result">,
  { signal, say }: Pick<Pinging, "signal" | "say">,
): Pinging {
  const heartbeat = wireHeartbeat(settings);
  return { heartbeat, clock: systemClock, signal, say, redact: (text) => redactor.result(text) };
}
