import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { epochMs } from "./epoch.ts";
import { endedChildrenCpuMs, memoryOf, type ProcessMemory } from "./process-facts.ts";

const LOOK_EVERY_MS = 10;

/** One look at the memory of a process. */
export interface MemorySample extends ProcessMemory {
  readonly atEpochMs: number;
}

/** A process that has ended, and what it used. */
export interface WatchedProcess {
  readonly stdout: string;
  readonly samples: readonly MemorySample[];
  readonly peakResidentBytes: number;
  /** User and system time over its whole life. Right only when no other child ended meanwhile. */
  readonly cpuMs: number;
  /** From starting it until it was gone. */
  readonly wallMs: number;
}

/**
 * Runs a program to its end and watches its memory.
 *
 * @throws Error with what it said when it exits with another code than those named.
 */
export async function watch(
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  exitCodes: readonly number[] = [0],
): Promise<WatchedProcess> {
  const cpuBeforeMs = endedChildrenCpuMs();
  const startedAtMs = performance.now();
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env: environment });
  const said = Promise.all([text(child.stdout), text(child.stderr)]);
  const samples: MemorySample[] = [];
  const look = (): void => {
    const memory = child.pid === undefined ? undefined : memoryOf(child.pid);
    if (memory !== undefined) {
      samples.push({ ...memory, atEpochMs: epochMs() });
    }
  };
  const looking = setInterval(look, LOOK_EVERY_MS);
  try {
    const [code, signal] = await once(child, "exit");
    const wallMs = performance.now() - startedAtMs;
    const cpuMs = endedChildrenCpuMs() - cpuBeforeMs;
    const [stdout, stderr] = await said;
    if (code === null || !exitCodes.includes(code)) {
      throw new Error(`${command} ${args.join(" ")} ended with ${code ?? signal}:\n${stderr}`);
    }
    const peakResidentBytes = samples.at(-1)?.peakResidentBytes ?? 0;
    return { stdout, samples, peakResidentBytes, cpuMs, wallMs };
  } finally {
    clearInterval(looking);
  }
}
