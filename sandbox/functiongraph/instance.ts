import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { type Handed, RuntimeApiServer } from "./runtime-api.ts";
import type { FunctionSettings } from "./settings.ts";

/** How one invocation ended on an instance. */
export interface InstanceOutcome {
  /** `died`: its process ended before it answered. */
  readonly outcome: "succeeded" | "failed" | "timed-out" | "died";
  readonly body: string;
}

/** One process of a function. Between invocations it is frozen. */
export class Instance {
  readonly #settings: FunctionSettings;
  readonly #codeFolder: string;
  readonly #log: (text: string) => void;
  #started: Promise<Started> | undefined;
  isBusy = false;
  isAlive = true;
  /** Of its process; missing until there is one. */
  pid: number | undefined;
  /** From the start of its process to its first question; missing until then. */
  coldStartMs: number | undefined;
  /** The most memory that it had in use when an invocation ended. */
  peakBytes = 0;

  /** @param log hears what its process writes. */
  constructor(settings: FunctionSettings, codeFolder: string, log: (text: string) => void) {
    this.#settings = settings;
    this.#codeFolder = codeFolder;
    this.#log = log;
  }

  /** Runs one invocation; the clock of its time-out starts when the process is there. */
  async run(handed: Handed): Promise<InstanceOutcome> {
    this.#started ??= this.#start();
    const { child, api, exited } = await this.#started;
    const died = exited.then(() => ({ outcome: "died", body: "the process ended" }) as const);
    child.kill("SIGCONT");
    const first = await Promise.race([api.polled(), died]);
    const limit = new AbortController();
    const overdue = delay(this.#settings.timeoutSeconds * 1_000, "overdue" as const, {
      signal: limit.signal,
    });
    overdue.catch(() => undefined);
    const ended = first ?? (await Promise.race([api.hand(handed), died, overdue]));
    limit.abort();
    if (ended === "overdue" || ended.outcome === "died") {
      await this.kill();
      const { timeoutSeconds } = this.#settings;
      return ended === "overdue"
        ? { outcome: "timed-out", body: `the invocation took longer than ${timeoutSeconds} s` }
        : ended;
    }
    this.peakBytes = Math.max(this.peakBytes, highWaterBytes(child.pid));
    child.kill("SIGSTOP");
    return { outcome: ended.outcome === "response" ? "succeeded" : "failed", body: ended.body };
  }

  /** Ends its process at once, in whatever it does. */
  async kill(): Promise<void> {
    this.isAlive = false;
    const started = await this.#started;
    started?.child.kill("SIGKILL");
    await started?.exited;
    await started?.api.stop();
  }

  async #start(): Promise<Started> {
    const api = await RuntimeApiServer.start();
    const startedAtMs = performance.now();
    const child = spawn(join(this.#codeFolder, "bootstrap"), {
      cwd: this.#codeFolder,
      env: environmentOf(this.#settings, this.#codeFolder, api.address),
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stdout.setEncoding("utf8").on("data", this.#log);
    // Only what a function writes to its standard output is promised to be in the log.
    child.stderr.setEncoding("utf8").on("data", (text: string) => this.#log(`(standard error) ${text}`));
    this.pid = child.pid;
    const exited = once(child, "close").then(() => {
      this.isAlive = false;
    });
    void api.polled().then(() => {
      this.coldStartMs = performance.now() - startedAtMs;
    });
    return { child, api, exited };
  }
}

interface Started {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly api: RuntimeApiServer;
  readonly exited: Promise<void>;
}

function highWaterBytes(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return 1_024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
}

/** All that a process finds in its environment, and nothing else ("Configuring Environment Variables", table 1). */
function environmentOf(
  settings: FunctionSettings,
  codeFolder: string,
  address: string,
): Record<string, string> {
  const { name, handler, userData, encryptedUserData, timeoutSeconds, memoryMb } = settings;
  return {
    PATH: "/usr/local/bin:/usr/bin:/bin",
    RUNTIME_PROJECT_ID: "0123456789abcdef0123456789abcdef",
    RUNTIME_FUNC_NAME: name,
    RUNTIME_FUNC_VERSION: "latest",
    RUNTIME_PACKAGE: "default",
    RUNTIME_HANDLER: handler,
    RUNTIME_TIMEOUT: String(timeoutSeconds),
    RUNTIME_USERDATA: JSON.stringify({ ...userData, ...encryptedUserData }),
    RUNTIME_CPU: "300",
    RUNTIME_MEMORY: String(memoryMb),
    RUNTIME_MAX_RESP_BODY_SIZE: "6291456",
    RUNTIME_INITIALIZER_HANDLER: "",
    RUNTIME_INITIALIZER_TIMEOUT: "3",
    RUNTIME_ROOT: "/home/snuser/runtime",
    RUNTIME_CODE_ROOT: codeFolder,
    RUNTIME_LOG_DIR: "/home/snuser/log",
    RUNTIME_API_ADDR: address,
  };
}
