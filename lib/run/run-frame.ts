import { runIdOf } from "../domain/key-layout.ts";
import type { Clock } from "../ports/clock.ts";
import type { RunPorts } from "./ports.ts";

/** A run that has begun. */
export interface RunStart {
  readonly runId: string;
  /** Epoch milliseconds. */
  readonly startedAtMs: number;
  readonly startedMonotonicMs: number;
  /** When the run must be over, on the monotonic clock; `Infinity` without limit. */
  readonly limitAtMs: number;
}

/** Names a run that begins now. */
export function startRun(
  { clock, random }: Pick<RunPorts, "clock" | "random">,
  limitMs: number = Number.POSITIVE_INFINITY,
): RunStart {
  const startedAtMs = clock.wallMs();
  const startedMonotonicMs = clock.monotonicMs();
  const runId = runIdOf(startedAtMs, random.hex(4));
  return { runId, startedAtMs, startedMonotonicMs, limitAtMs: startedMonotonicMs + limitMs };
}

/** What every run report begins with. */
export interface RunTimes {
  readonly runId: string;
  readonly startedAt: string;
  readonly endedAt: string;
}

/** The times of a run that ends now. */
export function runTimes({ runId, startedAtMs }: RunStart, clock: Clock): RunTimes {
  return {
    runId,
    startedAt: new Date(startedAtMs).toISOString(),
    endedAt: new Date(clock.wallMs()).toISOString(),
  };
}
