import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { SandboxControl } from "./control-client.ts";
import { spawnStandIn } from "./own-process.ts";
import { startServer } from "./server.ts";
import { type SettingsInput, settingsPatchSchema } from "./settings.ts";

export { SandboxControl, SandboxControlError } from "./control-client.ts";
export type { StateView, TaskView } from "./control-protocol.ts";
export type { FaultRuleInput } from "./faults.ts";
export { type RequestLogEntry, readRequestLog } from "./request-log.ts";
export type { SettingsInput } from "./settings.ts";
export type { OverwriteInput, TaskSpecInput } from "./task.ts";

/** How to start a sandbox. */
export interface SandboxOptions {
  /** Where its state lies; one that holds a state is gone on with. Default: a temporary folder, removed by `stop`. */
  readonly stateFolder?: string;
  /** Default 0: the system chooses. */
  readonly port?: number;
  /** Settings to change; of a state that is gone on with, the others stay as they were. */
  readonly settings?: SettingsInput;
}

/** A sandbox in this process. */
export interface Sandbox {
  /** `http://127.0.0.1:{port}` */
  readonly endpoint: string;
  readonly stateFolder: string;
  readonly control: SandboxControl;
  stop(): Promise<void>;
}

/** A sandbox in a process of its own. */
export interface SandboxProcess extends Sandbox {
  readonly pid: number;
  /** SIGKILL; resolves when the process is gone. The state folder stays until `stop`. */
  kill(): Promise<void>;
}

/** Starts a sandbox in this process. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const folder = await stateFolderOf(options);
  const settings = v.parse(settingsPatchSchema, options.settings ?? {});
  const starting = startServer(folder.path, settings, options.port ?? 0);
  const server = await starting.catch(async (thrown: unknown) => {
    await folder.release();
    throw thrown;
  });
  return {
    endpoint: server.endpoint,
    stateFolder: folder.path,
    control: new SandboxControl(server.endpoint),
    stop: async () => {
      await server.stop();
      await folder.release();
    },
  };
}

/**
 * Starts a sandbox in a process of its own, which ends when this process does.
 *
 * @throws Error when it does not get ready; its error output says why.
 */
export async function spawnSandbox(options: SandboxOptions = {}): Promise<SandboxProcess> {
  const folder = await stateFolderOf(options);
  const config = join(folder.path, "config.json");
  await writeFile(config, JSON.stringify(options.settings ?? {}));
  const args = ["--state", folder.path, "--config", config, "--port", String(options.port ?? 0)];
  const starting = spawnStandIn(new URL("./main.ts", import.meta.url), args);
  const { endpoint, pid, end } = await starting.catch(async (thrown: unknown) => {
    await folder.release();
    throw thrown;
  });
  return {
    endpoint,
    pid,
    stateFolder: folder.path,
    control: new SandboxControl(endpoint),
    kill: () => end("SIGKILL"),
    stop: async () => {
      await end("SIGTERM");
      await folder.release();
    },
  };
}

async function stateFolderOf(options: SandboxOptions): Promise<{ path: string; release(): Promise<void> }> {
  if (options.stateFolder !== undefined) {
    await mkdir(options.stateFolder, { recursive: true });
    return { path: options.stateFolder, release: async () => undefined };
  }
  const path = await mkdtemp(join(tmpdir(), "iotda-sandbox-"));
  return { path, release: async () => await rm(path, { recursive: true, force: true }) };
}
