import { AccessKeys } from "../config/access-keys.ts";
import type { Configuration } from "../config/configuration.ts";
import { retentionPorts, retentionSettings } from "../config/retention-wiring.ts";
import { wireStore } from "../config/store-wiring.ts";
import { wirePlatform } from "../config/wiring.ts";
import type { PlatformScope } from "../domain/export-task.ts";
import type { ArchiveStore } from "../identity/archive-store.ts";
import type { ExpiryPorts, RetentionEvent, RetentionPorts, RetentionSettings } from "../retention/run.ts";
import { loadConfiguration } from "./environment.ts";
import { interruptible } from "./operator.ts";
import { isLive, operatorLines, shownSecrets } from "./output.ts";
import type { CommonOptions } from "./session.ts";

/** What a command that only reads and holds archived exports works with. */
export interface ArchiveSession {
  readonly store: ArchiveStore;
  /** Where a file store lies. */
  readonly storeFolder: string | undefined;
  readonly scope: PlatformScope;
  readonly ports: RetentionPorts;
  /** Aborted by the operator's first interrupt. */
  readonly signal: AbortSignal;
}

/** What a command that applies the policy works with. */
export interface RetentionSession {
  readonly ports: ExpiryPorts;
  readonly settings: RetentionSettings;
  readonly signal: AbortSignal;
}

/** Runs `work` on the archive; no queue and no key of the platform is asked for anything. */
export async function withArchive<T>(
  options: CommonOptions,
  work: (session: ArchiveSession) => Promise<T>,
): Promise<T> {
  return await inArchive(await loadConfiguration(options, ["platform", "store"]), work);
}

/** The same with settings that were read already. */
export async function inArchive<T>(
  configuration: Configuration<"platform" | "store">,
  work: (session: ArchiveSession) => Promise<T>,
): Promise<T> {
  const { platform, store: place } = configuration;
  const say = await operatorLines();
  const scope = { projectId: platform.projectId, instanceId: platform.instanceId };
  const { store, close } = await wireStore({
    configuration,
    scope,
    purpose: "use",
    redactor: shownSecrets,
  });
  try {
    const ports = retentionPorts(store, showEvents(say));
    const storeFolder = place.kind === "file" ? place.folder : undefined;
    return await interruptible(say, (signal) => work({ store, storeFolder, scope, ports, signal }));
  } finally {
    close();
  }
}

/** Runs `work` with policy, store and platform. */
export async function withRetention<T>(
  options: CommonOptions,
  work: (session: RetentionSession) => Promise<T>,
): Promise<T> {
  const configuration = await loadConfiguration(options, ["platform", "store", "retention"]);
  const { proxy } = configuration;
  const say = await operatorLines();
  const keys = new AccessKeys(configuration.platform.credentials, shownSecrets, proxy);
  const platform = wirePlatform(configuration.platform, proxy, keys);
  const { store, close } = await wireStore({
    configuration,
    scope: configuration.platform,
    keys,
    purpose: "use",
    redactor: shownSecrets,
  });
  try {
    const ports = { ...retentionPorts(store, showEvents(say)), platform };
    return await interruptible(say, async (signal) => {
      const settings = await retentionSettings(configuration, store, { signal });
      return await work({ ports, settings, signal });
    });
  } finally {
    await platform.close();
    close();
    keys.close();
  }
}

const PROGRESS_EVERY = 1_000;

/** Warnings as lines; progress on a terminal's last line, else a line for each thousand. */
function showEvents(say: (line: string) => void): (event: RetentionEvent) => void {
  const isTerminal = isLive(process.stderr);
  return (event) => {
    switch (event.kind) {
      case "warning":
        say(event.message);
        return;
      case "progress":
        if (isTerminal) {
          process.stderr.write(
            `\r${event.done} of ${event.total}\u001b[K${event.done + 1 === event.total ? "\r\u001b[K" : ""}`,
          );
        } else if (event.done > 0 && event.done % PROGRESS_EVERY === 0) {
          say(`${event.done} of ${event.total}`);
        }
    }
  };
}
