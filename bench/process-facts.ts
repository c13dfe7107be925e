import { readFileSync } from "node:fs";

const KIB = 1024;
/** USER_HZ, which every Linux on x86-64 and ARM64 shows to programs. */
const TICKS_PER_SECOND = 100;
/** Of /proc/<pid>/stat, counted behind the command's closing bracket: field 3 of proc(5) is the first. */
const CHILDREN_USER_TICKS = 13;
const CHILDREN_SYSTEM_TICKS = 14;

/** Memory of a process in bytes, as /proc/<pid>/status says. */
export interface ProcessMemory {
  /** Resident now (`VmRSS`). */
  readonly residentBytes: number;
  /** The most that was ever resident (`VmHWM`), kept by the kernel: no peak between two looks is missed. */
  readonly peakResidentBytes: number;
}

/** `undefined` when the process is gone. */
export function memoryOf(pid: number): ProcessMemory | undefined {
  const status = textOf(`/proc/${pid}/status`);
  const residentBytes = kibLine(status, "VmRSS");
  const peakResidentBytes = kibLine(status, "VmHWM");
  return residentBytes === undefined || peakResidentBytes === undefined
    ? undefined
    : { residentBytes, peakResidentBytes };
}

/** CPU time, user and system, of all children of this process that have ended. In steps of 10 ms. */
export function endedChildrenCpuMs(): number {
  const stat = textOf("/proc/self/stat");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[CHILDREN_USER_TICKS]) + Number(fields[CHILDREN_SYSTEM_TICKS]);
  return (ticks * 1000) / TICKS_PER_SECOND;
}

function kibLine(status: string, name: string): number | undefined {
  const kib = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
  return kib === undefined ? undefined : Number(kib) * KIB;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH")) {
      return "";
    }
    throw error;
  }
}
