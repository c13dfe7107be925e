import type { ArchivePorts } from "../archive/ports.ts";
import { freshList } from "../archive/run.ts";
import { type ArchiveSettings, MAX_CLOCK_SKEW_MS } from "../archive/settings.ts";
import type { ExportTask } from "../domain/export-task.ts";
import type { OddItem } from "../ports/platform.ts";

/** A complete list of the platform, and the time it was. */
export interface PlatformView {
  readonly tasks: readonly ExportTask[];
  /** What else it shows; each holds a place. */
  readonly oddItems: readonly OddItem[];
  /** When the list was begun, on this machine's monotonic clock. */
  readonly startedAtMs: number;
  /**
   * The platform's clock when it answered, or a moment that is certainly not later where it does not say: what
   * happens from now on is after this.
   */
  readonly platformMs: number;
}

/** Lists again. @throws SystemFailure when the list keeps failing. */
export async function lookAtPlatform(
  ports: Pick<ArchivePorts, "platform" | "clock">,
  settings: Pick<ArchiveSettings, "downloadIntervalMs">,
  signal: AbortSignal,
): Promise<PlatformView> {
  const { tasks, oddItems, startedAtMs, platformDateMs } = await freshList(ports, settings, signal);
  return {
    tasks,
    oddItems,
    startedAtMs,
    platformMs: platformDateMs ?? ports.clock.wallMs() - MAX_CLOCK_SKEW_MS,
  };
}
