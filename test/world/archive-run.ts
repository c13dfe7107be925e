import { type DrainOptions, drain } from "../../lib/archive/archive-run.ts";
import type { ArchiveEvent, ArchivePorts } from "../../lib/archive/events.ts";
import type { ArchiveSettings } from "../../lib/archive/settings.ts";
import type { ArchiverSettings } from "../../lib/config/wiring.ts";
import { ArchiveObjectStore } from "../../lib/identity/archive-store.ts";
import type { IdentitySettings } from "../../lib/identity/open-archive.ts";
import type { CallOptions } from "../../lib/ports/platform.ts";
import type { RunReport } from "../../lib/records/run-report.ts";
import type { Runner, World } from "./world.ts";
import type { WorldStore } from "./world-store.ts";

/** The defaults of architecture §6.1 for a world's scope. */
export function settingsOf(world: World, overrides: Partial<ArchiverSettings> = {}): ArchiverSettings {
  return {
    scope: world.scope,
    deletion: "after-verify",
    verify: "auto",
    accept: "zip",
    downloadIntervalMs: 31_000,
    maxAttempts: 5,
    giveUpAfterMs: 48 * 3_600_000,
    maxReceives: 20,
    absenceConfirmMs: 60_000,
    taskTimeoutMs: 600_000,
    minTaskMs: 60_000,
    membersLimitBytes: 5 * 1024 * 1024,
    pressure: 35,
    exportPlaces: 50,
    requestAttempts: 3,
    ...overrides,
  };
}

/** A runner as the ports that policy is given. */
export function portsOf(
  runner: Runner,
  observe: ArchivePorts["observe"] = () => undefined,
  store: ArchivePorts["store"] = runner.store,
): ArchivePorts {
  const { platform, clock, random } = runner;
  return { platform, store, queue: runner.queueIn(store), clock, random, observe };
}

/** What an operator set up about the archive itself. */
export interface WorldIdentity {
  /** `ARCHIVER_ARCHIVE_ID`. */
  readonly archiveId: string | undefined;
  /** Whether the queue remembers an archive at all; one in the cloud does not. */
  readonly hasMemory: boolean;
  readonly deletion: ArchiveSettings["deletion"];
}

/** With what no port of an archive run has and the real stores do: a run that reached for it would be seen. */
class ReachableStore extends ArchiveObjectStore<WorldStore> {
  async removeObject(key: string, options: CallOptions): Promise<void> {
    await (await this.opened(options)).removeObject(key, options);
  }
}

/** The runner's store as programs see it: the archive is opened before anything else is asked of it. */
export function archiveStoreOf(
  world: World,
  { store, memory, clock, random }: Runner,
  { archiveId, hasMemory, deletion }: WorldIdentity,
): ArchiveObjectStore {
  const settings: IdentitySettings = {
    scope: world.scope,
    archiveId,
    storeSettings: "the world's",
    purpose: deletion === "never" ? "begin" : "work",
  };
  const ports = {
    memory: hasMemory ? memory : undefined,
    clock,
    random,
    say: () => undefined,
    redact: (text: string) => text,
  };
  return new ReachableStore(store, ports, settings);
}

export interface ArchiveRunOptions extends Partial<Omit<DrainOptions, "signal">> {
  readonly signal?: AbortSignal;
  readonly settings?: Partial<ArchiveSettings>;
  readonly observe?: (event: ArchiveEvent) => void;
  /** In place of the runner's own, which opens no archive. */
  readonly store?: ArchivePorts["store"];
}

/** One archive run by this runner, to be driven by the world's clock. */
export function archiveRun(
  world: World,
  runner: Runner,
  options: ArchiveRunOptions = {},
): Promise<RunReport> {
  const { settings, observe, store, signal = new AbortController().signal, ...rest } = options;
  return drain(portsOf(runner, observe, store), settingsOf(world, settings), { ...rest, signal });
}
