import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { endedChildrenCpuMs, memoryOf } from "../process-facts.ts";

const LOOK_EVERY_MS = 20;

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

/** A program and the programs it started, all ended. */
export interface EndedTree {
  /** `undefined` when it did not end in time and was killed. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly wallMs: number;
  /** User and system time of all of them. Right only when no other child of this process ended meanwhile. */
  readonly cpuMs: number;
  /** The most that the peaks (`VmHWM`) of all that lived at one moment added up to. */
  readonly peakResidentBytes: number;
}

/** Runs a program to its end, or kills it and what it started after `limitMs`. */
export async function runTree(command: Command, limitMs: number): Promise<EndedTree> {
  const cpuBeforeMs = endedChildrenCpuMs();
  const startedAtMs = performance.now();
  const child = spawn(command.program, command.args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: command.environment,
    // A process group of its own: a pipeline is killed as a whole.
    detached: true,
  });
  const pid = await startedPid(child);
  const said = Promise.all([text(child.stdout), text(child.stderr)]);
  let peakResidentBytes = 0;
  const looking = setInterval(() => {
    peakResidentBytes = Math.max(peakResidentBytes, residentOf(pid));
  }, LOOK_EVERY_MS);
  const limit = setTimeout(() => process.kill(-pid, "SIGKILL"), limitMs);
  try {
    const [code] = await once(child, "exit");
    const wallMs = performance.now() - startedAtMs;
    const cpuMs = endedChildrenCpuMs() - cpuBeforeMs;
    const [stdout, stderr] = await said;
    const exitCode = typeof code === "number" ? code : undefined;
    return { exitCode, stdout, stderr, wallMs, cpuMs, peakResidentBytes };
  } finally {
    clearInterval(looking);
    clearTimeout(limit);
  }
}

async function startedPid(child: ReturnType<typeof spawn>): Promise<number> {
  if (child.pid === undefined) {
    const [error] = await once(child, "error");
    throw error;
  }
  return child.pid;
}

function residentOf(pid: number): number {
  const own = memoryOf(pid)?.peakResidentBytes ?? 0;
  return childrenOf(pid).reduce((sum, child) => sum + residentOf(child), own);
}

function childrenOf(pid: number): readonly number[] {
  try {
    const list = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    return list === "" ? [] : list.split(" ").map(Number);
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH")) {
      return [];
    }
    throw error;
  }
}
