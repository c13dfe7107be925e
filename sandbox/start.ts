import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { SandboxControl } from "./control-client.ts";
import { onFolder, spawnStandIn } from "./kit/start.ts";
import { startPlatform } from "./server.ts";
import { type SettingsInput, settingsPatchSchema } from "./settings.ts";

export { SandboxControl } from "./control-client.ts";
export type { RequestLogEntry, StateView, TaskView } from "./control-protocol.ts";
export type { FaultRuleInput } from "./faults.ts";
export { readRequestLog } from "./kit/request-log.ts";
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
  return await onFolder(options.stateFolder, "iotda-sandbox", async (stateFolder) => {
    const settings = v.parse(settingsPatchSchema, options.settings ?? {});
    const { endpoint, stop } = await startPlatform(stateFolder, settings, options.port ?? 0);
    return { endpoint, stateFolder, control: new SandboxControl(endpoint), stop };
  });
}

/**
 * Starts a sandbox in a process of its own, which ends when this process does.
 *
 * @throws Error when it does not get ready; its error output says why.
 */
export async function spawnSandbox(options: SandboxOptions = {}): Promise<SandboxProcess> {
  return await onFolder(options.stateFolder, "iotda-sandbox", async (stateFolder) => {
    const config = join(stateFolder, "config.json");
    await writeFile(config, JSON.stringify(options.settings ?? {}));
    const args = ["--state", stateFolder, "--config", config, "--port", String(options.port ?? 0)];
    const { endpoint, pid, end } = await spawnStandIn(new URL("./main.ts", import.meta.url), args);
    return {
      endpoint,
      pid,
      stateFolder,
      control: new SandboxControl(endpoint),
      kill: () => end("SIGKILL"),
      stop: () => end("SIGTERM"),
    };
  });
}
