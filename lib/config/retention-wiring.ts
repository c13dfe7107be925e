import { readFile, stat } from "node:fs/promises";
import type { ResultRedactor } from "../observability/redact.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { RetentionStore } from "../ports/retention-store.ts";
import { parseRetentionPolicy, type RetentionPolicy } from "../retention/policy.ts";
import type { ExpiryPorts, RetentionPorts, RetentionSettings } from "../retention/run.ts";
import { AccessKeys } from "./access-keys.ts";
import type { Configuration } from "./configuration.ts";
import { ConfigurationError } from "./errors.ts";
import { wireStore } from "./store-wiring.ts";
import { systemClock, systemRandom } from "./system.ts";
import type { PolicyLocation } from "./value-schemas.ts";
import { wirePlatform } from "./wiring.ts";

/** A policy larger than this was not written by people. */
const MAX_POLICY_BYTES = 1024 * 1024;

/**
 * Fetches and reads the retention policy.
 *
 * @throws ConfigurationError when there is none at its place, RetentionPolicyError when it cannot be used, and
 *   what the store throws.
 */
async function loadRetentionPolicy(
  place: PolicyLocation,
  store: Pick<ObjectStore, "getDocument">,
  options: CallOptions,
): Promise<RetentionPolicy> {
  switch (place.kind) {
    case "inline":
      return parseRetentionPolicy(place.text);
    case "file":
      return parseRetentionPolicy(await readPolicyFile(place.file));
    case "store":
      return parseRetentionPolicy(await readPolicyDocument(store, place.key, options));
  }
}

async function readPolicyFile(file: string): Promise<string> {
  try {
    if ((await stat(file)).size > MAX_POLICY_BYTES) {
      throw notFound("names a file larger than any policy");
    }
    return await readFile(file, "utf8");
  } catch (error) {
    throw error instanceof ConfigurationError ? error : notFound("names a file that cannot be read", error);
  }
}

async function readPolicyDocument(
  store: Pick<ObjectStore, "getDocument">,
  key: string,
  options: CallOptions,
): Promise<string> {
  const found = await store.getDocument(key, options);
  if (found === undefined) {
    throw notFound("names a document that is not in the store");
  }
  if (found.text === undefined) {
    throw notFound("names a document that is not text");
  }
  return found.text;
}

function notFound(problem: string, cause?: unknown): ConfigurationError {
  const fix = "Put the policy there, or set the variable to where it is.";
  return new ConfigurationError([{ name: "ARCHIVER_RETENTION_POLICY", problem, fix }], cause);
}

/** What works by the retention policy, put together as the configuration says. */
export interface Retention {
  readonly ports: ExpiryPorts;
  /** The policy as it is now, and what else retention is told. Throws what {@link loadRetentionPolicy} throws. */
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
      policy: await loadRetentionPolicy(retention.policy, store, options),
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
