import { untilAborted } from "../domain/promises.ts";
import { createHeartbeat } from "../notify/heartbeat.ts";
import type { ResultRedactor, SecretLearner } from "../observability/redact.ts";
import type { Heartbeat } from "../ports/notifier.ts";
import type { Pinging } from "../report/heartbeat.ts";
import { type CommonConfiguration, settingsOfProxy } from "./configuration.ts";
import { withNotificationSecret } from "./notification-secret.ts";
import { systemClock } from "./system.ts";

type Settings = Pick<CommonConfiguration, "notification" | "proxy">;

/** The check that runs ping; `undefined` where none is set. One that a secret names is read for the first ping. */
export function wireHeartbeat(settings: Settings, learner: SecretLearner): Heartbeat | undefined {
  const { heartbeatUrl, secretId } = settings.notification;
  if (heartbeatUrl !== undefined) {
    return createHeartbeat(heartbeatUrl, { proxy: settingsOfProxy(settings.proxy) });
  }
  return secretId === undefined ? undefined : heartbeatOfSecret(settings, learner);
}

/** A secret that cannot be read fails its ping alone; the next ping tries again. */
function heartbeatOfSecret(settings: Settings, learner: SecretLearner): Heartbeat {
  let reading: Promise<Heartbeat | undefined> | undefined;
  const read = async () => {
    try {
      return wireHeartbeat(await withNotificationSecret(settings, learner), learner);
    } catch (error) {
      reading = undefined;
      throw error;
    }
  };
  return {
    async ping(beat, text, options) {
      reading ??= read();
      const heartbeat = await untilAborted(reading, options.signal);
      await heartbeat?.ping(beat, text, options);
    },
  };
}

/** What a run pings with. */
export function wirePinging(
  settings: Settings,
  redactor: ResultRedactor,
  { signal, say }: Pick<Pinging, "signal" | "say">,
): Pinging {
  const heartbeat = wireHeartbeat(settings, redactor);
  return { heartbeat, clock: systemClock, signal, say, redact: (text) => redactor.result(text) };
}
