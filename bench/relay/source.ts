import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as v from "valibot";

const START_LIMIT_MS = 10_000;
const readySchema = v.pipe(v.string(), v.parseJson(), v.object({ endpoint: v.string() }));

/** The HTTP source in a process of its own. */
export interface Source {
  wholeUrl(sizeBytes: number): string;
  cutUrl(framing: "length" | "chunked" | "close" | "stall", sizeBytes: number, sentBytes: number): string;
  stop(): Promise<void>;
}

export async function spawnSource(): Promise<Source> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "source-server.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const [line] = await once(createInterface(child.stdout), "line", {
    signal: AbortSignal.timeout(START_LIMIT_MS),
  });
  const { endpoint } = v.parse(readySchema, line);
  return {
    wholeUrl: (sizeBytes) => `${endpoint}/whole/${sizeBytes}`,
    cutUrl: (framing, sizeBytes, sentBytes) => `${endpoint}/cut/${framing}/${sizeBytes}/${sentBytes}`,
    stop: async () => {
      child.stdin.end();
      await exited;
    },
  };
}
