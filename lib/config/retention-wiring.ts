import { readFile, stat } from "node:fs/promises";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { RetentionStore } from "../ports/retention-store.ts";
import { parseRetentionPolicy, type RetentionPolicy } from "../retention/policy.ts";
import type { RetentionPorts, RetentionSettings } from "../retention/run.ts";
import type { Configuration } from "./configuration.ts";
import { ConfigurationError } from "./errors.ts";
import type { PolicyLocation } from "./location-schemas.ts";
import { systemClock, systemRandom } from "./system.ts";

/** A policy larger than this was not written by people. */
const MAX_POLICY_BYTES = 1024 * 1024;

/**
 * Fetches and reads the retention policy.
 *
 * @throws ConfigurationError when there is none at its place, RetentionPolicyError when it cannot be used, and
 *   what the store throws.
 */
export async function loadRetentionPolicy(
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

/** What retention is told, with the policy as it is now. Throws what {@link loadRetentionPolicy} throws. */
export async function retentionSettings(
  { platform, archive, retention }: Configuration<"platform" | "store" | "retention">,
  store: Pick<ObjectStore, "getDocument">,
  options: CallOptions,
): Promise<RetentionSettings> {
  return {
    scope: { projectId: platform.projectId, instanceId: platform.instanceId },
    policy: await loadRetentionPolicy(retention.policy, store, options),
    maxRemovals: retention.maxRemovals,
    downloadIntervalMs: archive.downloadIntervalMs,
  };
}

/** The ports of retention on this machine. */
export function retentionPorts(
  store: ObjectStore & RetentionStore,
  observe: RetentionPorts["observe"],
): RetentionPorts {
  return { store, clock: systemClock, random: systemRandom, observe };
}
