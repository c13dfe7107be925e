import type { ExportTask } from "../domain/export-task.ts";
import type { OddItem } from "../ports/platform.ts";
import { freshList, MAX_CLOCK_SKEW_MS } from "../run/platform-list.ts";
import type { RunPorts } from "../run/ports.ts";

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
  ports: Pick<RunPorts, "platform" | "clock">,
  settings: { readonly downloadIntervalMs: number },
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
