import { type DrainOptions, drain } from "../../lib/archive/drain.ts";
import type { ArchiveEvent } from "../../lib/archive/events.ts";
import type { ArchivePorts } from "../../lib/archive/ports.ts";
import type { ArchiveSettings } from "../../lib/archive/settings.ts";
import type { RunReport } from "../../lib/records/run-report.ts";
import type { Runner, World } from "./world.ts";

/** The defaults of design §6.1 for a world's scope. */
export function settingsOf(world: World, overrides: Partial<ArchiveSettings> = {}): ArchiveSettings {
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
export function portsOf(runner: Runner, observe: ArchivePorts["observe"] = () => undefined): ArchivePorts {
  const { platform, store, queue, clock, random } = runner;
  return { platform, store, queue, clock, random, observe };
}

export interface ArchiveRunOptions extends Partial<Omit<DrainOptions, "signal">> {
  readonly signal?: AbortSignal;
  readonly settings?: Partial<ArchiveSettings>;
  readonly observe?: (event: ArchiveEvent) => void;
}

/** One archive run by this runner, to be driven by the world's clock. */
export function archiveRun(
  world: World,
  runner: Runner,
  options: ArchiveRunOptions = {},
): Promise<RunReport> {
  const { settings, observe, signal = new AbortController().signal, ...rest } = options;
  return drain(portsOf(runner, observe), settingsOf(world, settings), { ...rest, signal });
}
