import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import * as v from "valibot";

/** A stand-in in a process of its own. */
interface OwnProcess {
  readonly endpoint: string;
  readonly pid: number;
  /** Sends the signal; resolves when the process is gone. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/**
 * Starts a stand-in whose state lies in a folder.
 *
 * @param given without it the folder is a temporary one, which goes when the stand-in stops or does not start.
 */
export async function onFolder<Started extends { stop(): Promise<void> }>(
  given: string | undefined,
  name: string,
  start: (folder: string) => Promise<Started>,
): Promise<Started> {
  const folder = given ?? (await mkdtemp(join(tmpdir(), `${name}-`)));
  const release = async (): Promise<void> => {
    if (given === undefined) {
      await rm(folder, { recursive: true, force: true });
    }
  };
  try {
    await mkdir(folder, { recursive: true });
    const started = await start(folder);
    const stop = async (): Promise<void> => {
      await started.stop();
      await release();
    };
    return { ...started, stop };
  } catch (thrown) {
    await release();
    throw thrown;
  }
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
