import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { InvalidArgumentError } from "commander";
import * as v from "valibot";

/** What the platform's stand-in and S3's share where they run in a process of their own: both ends of it. */

/** A stand-in in a process of its own, as the one that started it sees it. */
export interface OwnProcess {
  readonly endpoint: string;
  readonly pid: number;
  /** Sends the signal; resolves when the process is gone. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** It only catches what hangs: a busy machine may take long to start a process. */
const START_LIMIT_MS = 240_000;
const readyLineSchema = v.pipe(v.string(), v.parseJson(), v.object({ endpoint: v.string() }));

/**
 * Starts a stand-in's `main.ts` in a process that ends when this one does.
 *
 * @throws Error when it does not get ready; its error output says why.
 */
export async function spawnStandIn(main: URL, args: readonly string[]): Promise<OwnProcess> {
  const child = spawn(process.execPath, [fileURLToPath(main), ...args, "--until-stdin-closes"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const endpoint = await readyEndpoint(child.stdout, exited).catch((thrown: unknown) => {
    child.kill("SIGKILL");
    throw thrown;
  });
  return {
    endpoint,
    pid: child.pid ?? 0,
    end: async (signal) => {
      child.kill(signal);
      await exited;
    },
  };
}

async function readyEndpoint(stdout: Readable, exited: Promise<unknown[]>): Promise<string> {
  const signal = AbortSignal.timeout(START_LIMIT_MS);
  const ready = once(createInterface(stdout), "line", { signal });
  // Only the first of the two is waited for.
  ready.catch(() => undefined);
  const [first] = await Promise.race([ready, exited]);
  const line = v.safeParse(readyLineSchema, first);
  if (!line.success) {
    throw new Error("the stand-in ended before it was ready; its error output says why");
  }
  return line.output.endpoint;
}

/** A `--port` of the command line. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new InvalidArgumentError("a port is a number from 0 to 65535");
  }
  return port;
}

/** Stops and ends this process when it is told to, and where asked for when its parent has gone. */
export function endWhenTold(stop: () => Promise<void>, untilStdinCloses = false): void {
  const end = async (): Promise<void> => {
    await stop();
    process.exit(0);
  };
  process.once("SIGTERM", () => void end());
  process.once("SIGINT", () => void end());
  if (untilStdinCloses) {
    process.stdin.once("end", () => void end()).resume();
  }
}
