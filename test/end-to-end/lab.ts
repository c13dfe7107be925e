import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { TestContext } from "vitest";
import {
  type SandboxControl,
  type SettingsInput,
  spawnSandbox,
  startSandbox,
  type TaskSpecInput,
} from "../../sandbox/start.ts";
import { markFolder } from "./archive-marker.ts";
import { type Ended, type Running, startArchiver } from "./command-line.ts";
import { QueueFile } from "./queue-file.ts";
import { StoreFolder } from "./store-folder.ts";

export const PROJECT_ID = "0123456789abcdef0123456789abcdef";
export const ACCOUNT = { ak: "LABAK000000000000000", sk: "labSecretKey0123456789abcdefghijklmnopqrst" };

const DEFAULT_INTERVAL_MS = 200;
/**
 * A platform in the test's own process sees requests late when the machine is busy. Unless a test is about the pace, which
 * takes one `apart`, it refuses none for coming early.
 */
export const UNPACED_MS = 0;

/** Settings by name; `undefined` leaves one out. */
export type SettingChanges = Readonly<Record<string, string | undefined>>;

export interface LabOptions {
  readonly intervalMs?: number;
  /** The platform in a process of its own: where the pace is judged, which a busy process blurs. */
  readonly apart?: boolean;
  readonly sandbox?: SettingsInput;
  readonly settings?: SettingChanges;
  /** Whether there is an archive in the folder already, as after `init`. Default true. */
  readonly begun?: boolean;
}

/** A platform, a folder, a queue and the settings of an operator with one machine. */
export class Lab {
  readonly folder: string;
  readonly endpoint: string;
  readonly control: SandboxControl;
  readonly store: StoreFolder;
  readonly queue: QueueFile;
  readonly envFile: string;
  readonly #intervalMs: number;

  constructor(folder: string, sandbox: { endpoint: string; control: SandboxControl }, intervalMs: number) {
    this.folder = folder;
    this.endpoint = sandbox.endpoint;
    this.control = sandbox.control;
    this.store = new StoreFolder(join(folder, "archive"));
    this.queue = new QueueFile(join(folder, "queue.db"));
    this.envFile = join(folder, "archiver.env");
    this.#intervalMs = intervalMs;
  }

  /** The settings that work here, with changes. */
  settings(changes: SettingChanges = {}): Record<string, string> {
    const all: SettingChanges = {
      ARCHIVER_IOTDA_ENDPOINT: this.endpoint,
      ARCHIVER_IOTDA_PROJECT_ID: PROJECT_ID,
      HUAWEICLOUD_SDK_AK: ACCOUNT.ak,
      HUAWEICLOUD_SDK_SK: ACCOUNT.sk,
      ARCHIVER_STORE: pathToFileURL(this.store.path).href,
      ARCHIVER_QUEUE: sqliteUrl(this.queue.path),
      ARCHIVER_DOWNLOAD_INTERVAL_MS: String(this.#intervalMs),
      ...changes,
    };
    const set = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return Object.fromEntries(set);
  }

  /** Writes the env file again. */
  async writeSettings(changes: SettingChanges = {}): Promise<void> {
    const lines = Object.entries(this.settings(changes)).map(([name, value]) => `${name}=${value}\n`);
    await writeFile(this.envFile, lines.join(""), { mode: 0o600 });
  }

  /** Starts the archiver with this lab's env file. */
  start(...args: readonly string[]): Running {
    return startArchiver([...args, "--env-file", this.envFile]);
  }

  /** Runs the archiver with this lab's env file to its end. */
  async archiver(...args: readonly string[]): Promise<Ended> {
    return await this.start(...args).ended;
  }

  /** Runs it with `--json` and reads the one document. */
  async archiverJson(...args: readonly string[]): Promise<Ended & { readonly document: unknown }> {
    const ended = await this.archiver(...args, "--json");
    return { ...ended, document: JSON.parse(ended.stdout) };
  }
}

/** A lab of this test's own, taken down when the test is over. */
export async function openLab(
  { onTestFinished }: Pick<TestContext, "onTestFinished">,
  {
    intervalMs = DEFAULT_INTERVAL_MS,
    apart = false,
    sandbox = {},
    settings = {},
    begun = true,
  }: LabOptions = {},
): Promise<Lab> {
  const folder = await mkdtemp(join(tmpdir(), "archiver-lab-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const platform = await (apart ? spawnSandbox : startSandbox)({
    stateFolder: join(folder, "platform"),
    settings: {
      projectId: PROJECT_ID,
      accounts: [ACCOUNT],
      downloadIntervalMs: apart ? intervalMs : UNPACED_MS,
      ...sandbox,
    },
  });
  onTestFinished(() => platform.stop());
  const lab = new Lab(folder, platform, intervalMs);
  await lab.writeSettings(settings);
  if (begun) {
    await markFolder(lab.store.path);
  }
  return lab;
}

export function sqliteUrl(file: string): string {
  return `sqlite://${pathToFileURL(file).pathname}`;
}

/** Finished exports `export-01` … with conditions of their own, the first one oldest. */
export function finishedExports(count: number, more: Partial<TaskSpecInput> = {}): TaskSpecInput[] {
  return Array.from({ length: count }, (_, index) => {
    const number = String(index + 1).padStart(2, "0");
    return {
      exportTaskId: `export-${number}`,
      condition: { task_id: `batch-${number}` },
      createTime: `2026-11-21T01:${number}:00.000Z`,
      exportCount: index,
      fillerBytes: 1_000 * (index + 1),
      ...more,
    };
  });
}
