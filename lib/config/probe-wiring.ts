import { IotdaAnswers } from "../iotda/answers.ts";
import type { ResultRedactor } from "../observability/redact.ts";
import type { ProbePorts } from "../probe/ports.ts";
import type { RequestSettings } from "../requests/settings.ts";
import { AccessKeys } from "./access-keys.ts";
import type { Configuration } from "./configuration.ts";
import { wireStore } from "./store-wiring.ts";
import { systemClock, systemRandom } from "./system.ts";
import { clientOptions, wirePlatform } from "./wiring.ts";

/** What a probe works with, put together as the configuration says. */
export interface WiredProbe {
  readonly ports: ProbePorts;
  readonly settings: RequestSettings;
  close(): Promise<void>;
}

/** Nothing is opened yet: the first call on the store opens the archive. */
export async function wireProbe(
  configuration: Configuration<"platform" | "store">,
  redactor: ResultRedactor,
  observe: ProbePorts["observe"],
): Promise<WiredProbe> {
  const { platform: place, archive, proxy } = configuration;
  const scope = { projectId: place.projectId, instanceId: place.instanceId };
  const keys = new AccessKeys(place.credentials, redactor, proxy);
  const platform = wirePlatform(place, proxy, keys);
  const answers = new IotdaAnswers(clientOptions(place, proxy, keys));
  const { store, close } = await wireStore({ configuration, scope, keys, purpose: "use", redactor });
  return {
    ports: { platform, answers, store, clock: systemClock, random: systemRandom, observe },
    settings: { ...archive, scope },
    async close() {
      await platform.close();
      await answers.close();
      close();
      keys.close();
    },
  };
}
