import { runIdOf } from "../domain/key-layout.ts";
import type { Clock } from "../ports/clock.ts";
import type { RunPorts } from "./ports.ts";

/** A run that has begun. */
export interface RunStart {
  readonly runId: string;
  /** Epoch milliseconds. */
  readonly startedAtMs: number;
  /** When the run must be over, on the monotonic clock; `Infinity` without limit. */
  readonly limitAtMs: number;
}

/** Names a run that begins now. */
export function startRun(
  { clock, random }: Pick<RunPorts, "clock" | "random">,
  limitMs: number = Number.POSITIVE_INFINITY,
): RunStart {
  const startedAtMs = clock.wallMs();
  return {
    runId: runIdOf(startedAtMs, random.hex(4)),
    startedAtMs,
    limitAtMs: clock.monotonicMs() + limitMs,
  };
}

/** What every run report begins with. */
export interface RunTimes {
  readonly runId: string;
  readonly startedAt: string;
  readonly endedAt: string;
}

/** The times of a run that ends now. */
export function runTimes({ runId, startedAtMs }: Omit<RunStart, "limitAtMs">, clock: Clock): RunTimes {
  return {
    runId,
    startedAt: new Date(startedAtMs).toISOString(),
    endedAt: new Date(clock.wallMs()).toISOString(),
  };
}
