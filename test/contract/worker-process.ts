import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

/** A real process that runs one of the scripts in `workers/` and says lines on its standard output. */
export interface WorkerProcess {
  /** Resolves with the next line it says; rejects when it ends before. */
  nextLine(): Promise<string>;
  /** Every line until it ends; rejects unless it ends with exit code 0. */
  remainingLines(): Promise<readonly string[]>;
  /** Ends it as a crash would, and resolves when it is gone. */
  kill(): Promise<void>;
}

/** Starts `workers/{script}` under the Node that runs this test. Killed when the test is over. */
export function startWorker(script: string, ...args: readonly string[]): WorkerProcess {
  const path = fileURLToPath(new URL(`workers/${script}`, import.meta.url));
  const child = spawn(process.execPath, [path, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const kill = async () => {
    child.kill("SIGKILL");
    await exited;
  };
  onTestFinished(kill);

  return {
    nextLine: async () => {
      const { value, done } = await lines.next();
      if (done === true) {
        throw new Error(`${script} ended without saying what was waited for`);
      }
      return value;
    },
    remainingLines: async () => {
      const said: string[] = [];
      for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
        said.push(next.value);
      }
      const [exitCode] = await exited;
      if (exitCode !== 0) {
        throw new Error(`${script} ended with exit code ${exitCode}`);
      }
      return said;
    },
    kill,
  };
}
