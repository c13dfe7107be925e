import type { ResultRedactor } from "../observability/redact.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { RetentionStore } from "../ports/retention-store.ts";
import { parseRetentionPolicy } from "../retention/policy.ts";
import type { ExpiryPorts, RetentionPorts, RetentionSettings } from "../retention/run.ts";
import { AccessKeys } from "./access-keys.ts";
import type { Configuration } from "./configuration.ts";
import { readSettingDocument } from "./setting-document.ts";
import { wireStore } from "./store-wiring.ts";
import { systemClock, systemRandom } from "./system.ts";
import { wirePlatform } from "./wiring.ts";

/** What works by the retention policy, put together as the configuration says. */
export interface Retention {
  readonly ports: ExpiryPorts;
  /**
   * The policy as it is now, and what else retention is told.
   *
   * @throws RetentionPolicyError when the policy cannot be used, and what {@link readSettingDocument} throws.
   */
  settings(options: CallOptions): Promise<RetentionSettings>;
  close(): Promise<void>;
}

/** Nothing is opened yet: the first call on the store opens the archive. */
export async function wireRetention(
  configuration: Configuration<"platform" | "store" | "retention">,
  redactor: ResultRedactor,
  observe: RetentionPorts["observe"],
): Promise<Retention> {
  const { platform: place, archive, retention, proxy } = configuration;
  const scope = { projectId: place.projectId, instanceId: place.instanceId };
  const keys = new AccessKeys(place.credentials, redactor, proxy);
  const platform = wirePlatform(place, proxy, keys);
  const wired = await wireStore({ configuration, scope, keys, purpose: "use", redactor });
  const { store } = wired;
  return {
    ports: { ...retentionPorts(store, observe), platform },
    settings: async (options) => ({
      scope,
      policy: parseRetentionPolicy(
        await readSettingDocument("ARCHIVER_RETENTION_POLICY", retention.policy, store, options),
      ),
      maxRemovals: retention.maxRemovals,
      downloadIntervalMs: archive.downloadIntervalMs,
    }),
    async close() {
      await platform.close();
      wired.close();
      keys.close();
    },
  };
}

/** The ports of retention on this machine. */
export function retentionPorts(
  store: ObjectStore & RetentionStore,
  observe: RetentionPorts["observe"],
): RetentionPorts {
  return { store, clock: systemClock, random: systemRandom, observe };
}
