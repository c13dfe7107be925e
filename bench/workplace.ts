import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { type SandboxProcess, type SettingsInput, spawnSandbox } from "../sandbox/start.ts";
import { type WatchedProcess, watch } from "./watched-process.ts";

const CLI = join(import.meta.dirname, "..", "dist", "cli.mjs");
const ACCOUNT = { ak: "BENCHAK0000000000000", sk: "benchSecretKey0123456789abcdefghijklmnopq" };
const PROJECT_ID = "0123456789abcdef0123456789abcdef";

const reportSchema = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    stopReason: v.string(),
    bytes: v.number(),
    counts: v.object({ archived: v.number(), deleted: v.number(), throttled: v.number() }),
  }),
);

/** The end of an archiver's run: its report, and what its process used. */
export interface ArchiverRun {
  readonly report: v.InferOutput<typeof reportSchema>;
  readonly process: WatchedProcess;
}

/** An empty store and queue, and a sandbox in a process of its own, for one measurement. */
export interface Workplace {
  readonly folder: string;
  readonly queueFile: string;
  readonly sandbox: SandboxProcess;
  /** Access keys and project that the sandbox knows. */
  readonly account: typeof ACCOUNT;
  readonly projectId: string;
  /** Runs the built `dist/cli.mjs run` to its end. */
  runArchiver(): Promise<ArchiverRun>;
}

/** Gives `work` a workplace below the system's temporary folder and clears it away afterwards. */
export async function atWorkplace<T>(
  settings: SettingsInput & { readonly downloadIntervalMs: number },
  work: (workplace: Workplace) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "archiver-bench-"));
  try {
    const sandbox = await spawnSandbox({
      stateFolder: join(folder, "platform"),
      settings: { projectId: PROJECT_ID, accounts: [ACCOUNT], ...settings },
    });
    try {
      return await work(await workplaceAround(folder, sandbox, settings.downloadIntervalMs));
    } finally {
      await sandbox.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function workplaceAround(
  folder: string,
  sandbox: SandboxProcess,
  downloadIntervalMs: number,
): Promise<Workplace> {
  const queueFile = join(folder, "queue.db");
  const settingsFile = join(folder, "archiver.env");
  const lines = [
    `ARCHIVER_IOTDA_ENDPOINT=${sandbox.endpoint}`,
    `ARCHIVER_IOTDA_PROJECT_ID=${PROJECT_ID}`,
    `HUAWEICLOUD_SDK_AK=${ACCOUNT.ak}`,
    `HUAWEICLOUD_SDK_SK=${ACCOUNT.sk}`,
    `ARCHIVER_STORE=file://${join(folder, "archive")}`,
    `ARCHIVER_QUEUE=sqlite://${queueFile}`,
    `ARCHIVER_DOWNLOAD_INTERVAL_MS=${downloadIntervalMs}`,
  ];
  await writeFile(settingsFile, `${lines.join("\n")}\n`, { mode: 0o600 });
  await watch(process.execPath, [CLI, "init", "--config", settingsFile], bareEnvironment());
  return {
    folder,
    queueFile,
    sandbox,
    account: ACCOUNT,
    projectId: PROJECT_ID,
    async runArchiver() {
      const args = [CLI, "run", "--json", "--config", settingsFile];
      const process_ = await watch(process.execPath, args, bareEnvironment());
      return { report: v.parse(reportSchema, process_.stdout), process: process_ };
    },
  };
}

/**
 * Nothing of the caller's shell (proxy, Node options, settings of a real archiver) reaches a measured process. Node has
 * the option of the command's first line.
 */
export function bareEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, TMPDIR: tmpdir(), TZ: "UTC", NODE_OPTIONS: "--max-semi-space-size=1" };
}
