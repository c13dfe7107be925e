import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { delimiter, dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

export const ROOT = join(import.meta.dirname, "..", "..");
const CLI = join(ROOT, "dist", "cli.mjs");
/** No test waits longer for one process; what hangs is killed and fails the test. */
const PROCESS_LIMIT_MS = 240_000;
const POLL_MS = 5;

/** A process that is over. */
export interface Ended {
  /** `null` when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process under way. */
export class Running {
  stdout = "";
  stderr = "";
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  #isOver = false;

  constructor(child: ChildProcessByStdio<null, Readable, Readable>) {
    this.#child = child;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), PROCESS_LIMIT_MS);
    this.ended = once(child, "close").then(([exitCode, signal]) => {
      clearTimeout(timer);
      this.#isOver = true;
      return { exitCode, signal, stdout: this.stdout, stderr: this.stderr } as Ended;
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Polls until the condition holds. @returns false when the process ended first. */
  async until(condition: (running: this) => boolean | Promise<boolean>): Promise<boolean> {
    while (!this.#isOver) {
      if (await condition(this)) {
        return true;
      }
      await sleep(POLL_MS);
    }
    return false;
  }
}

/** What a command run by cron has around it: no terminal, no proxy, no settings of whoever runs the tests. */
export function bareEnvironment(): Record<string, string> {
  const { PATH = "", TMPDIR, NODE_COMPILE_CACHE } = process.env;
  // This very Node is the one that `env node` finds.
  const path = [dirname(process.execPath), PATH].join(delimiter);
  return {
    PATH: path,
    TZ: "UTC",
    ...(TMPDIR === undefined ? {} : { TMPDIR }),
    ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }),
  };
}

function start(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Running {
  const env = { ...bareEnvironment(), ...environment };
  return new Running(spawn(program, [...args], { stdio: ["ignore", "pipe", "pipe"], env }));
}

/** Starts a program of Node's in a bare environment. */
export function startNode(file: string, environment: Readonly<Record<string, string>>): Running {
  return start(process.execPath, [file], environment);
}

/** Starts the built command line, by its own first line as a shell or cron does. */
export function startArchiver(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Running {
  return start(CLI, args, environment);
}
