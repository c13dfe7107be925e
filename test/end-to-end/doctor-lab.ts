import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { type TestContext, vi } from "vitest";
import type { CheckDocument } from "../../lib/cli/doctor-lines.ts";
import { doctorDocument } from "../../lib/cli/doctor-lines.ts";
import { wireDoctor } from "../../lib/config/doctor-wiring.ts";
import { withSettingsFile } from "../../lib/config/env-file.ts";
import { knownSecrets } from "../../lib/config/names.ts";
import { lookAtSettings } from "../../lib/config/settings-look.ts";
import { systemClock } from "../../lib/config/system.ts";
import { GROUPS, type Group, type Verdict } from "../../lib/doctor/check.ts";
import { examine } from "../../lib/doctor/examine.ts";
import { Receiver, saying } from "../../lib/notify/testing/receiver.ts";
import { Redactor } from "../../lib/observability/redact.ts";
import { startSandbox } from "../../sandbox/start.ts";
import { bareEnvironment } from "./command-line.ts";
import {
  ACCOUNT,
  finishedExports,
  Lab,
  openLab,
  PROJECT_ID,
  type SettingChanges,
  UNPACED_MS,
} from "./lab.ts";

const documentSchema = v.record(v.string(), v.unknown());
/** A document of the archive. */
type Document = v.InferOutput<typeof documentSchema>;

/** What an examination said. */
export interface Examined {
  readonly verdict: Verdict;
  readonly checks: readonly CheckDocument[];
}

const AWS = {
  AWS_ACCESS_KEY_ID: "LABAWSKEY00000000001",
  AWS_SECRET_ACCESS_KEY: "labAwsSecret0123456789",
  AWS_REGION: "eu-central-1",
};

/** Examines what a file of settings describes, in this process. @param root where cron's and systemd's files lie. */
export async function examineFile(
  envFile: string,
  {
    environment = {},
    root = "/nowhere",
    groups = GROUPS,
  }: {
    readonly environment?: Readonly<Record<string, string>>;
    readonly root?: string;
    readonly groups?: readonly Group[];
  } = {},
): Promise<Examined> {
  const file = { option: "--config", path: envFile } as const;
  const settings = await withSettingsFile(bareEnvironment(), file);
  // As the command line does, for the AWS SDK.
  const ofAws = Object.entries(settings.environment).filter(([name]) => name.startsWith("AWS_"));
  for (const [name, value] of [...Object.entries({ ...AWS, ...environment }), ...ofAws]) {
    vi.stubEnv(name, value);
  }
  const look = await lookAtSettings({ ...settings, file });
  const { signal } = new AbortController();
  const options = { signal, clock: systemClock };
  if (look.configuration === undefined) {
    return doctorDocument(await examine(look.read, undefined, new Set(groups), options));
  }
  const redactor = new Redactor(knownSecrets(settings.environment));
  const { ports, close } = await wireDoctor(look.configuration, { redactor, root });
  try {
    return doctorDocument(await examine(look.read, ports, new Set(groups), options));
  } finally {
    await close();
    vi.unstubAllEnvs();
  }
}

/** The checks that found something, by id. */
export function failedIn({ checks }: Examined): readonly string[] {
  return checks.filter(({ status }) => status === "hurts" || status === "broken").map(({ id }) => id);
}

/** A healthy deployment on one machine, to be copied for each test: a run and an inventory are over. */
export interface HealthyFolder {
  readonly folder: string;
  remove(): Promise<void>;
}

export async function makeHealthyFolder(): Promise<HealthyFolder> {
  const folder = await mkdtemp(join(tmpdir(), "archiver-healthy-"));
  const ended: (() => unknown)[] = [];
  const lab = await openLab({ onTestFinished: (end) => void ended.push(end as () => unknown) });
  try {
    await lab.control.addTasks(finishedExports(1));
    for (const command of ["run", "inventory"]) {
      const { exitCode, stderr } = await lab.archiver(command);
      if (exitCode !== 0) {
        throw new Error(`${command} ended with ${exitCode}: ${stderr}`);
      }
    }
    await cp(lab.store.path, join(folder, "archive"), { recursive: true, preserveTimestamps: true });
    await cp(lab.queue.path, join(folder, "queue.db"), { preserveTimestamps: true });
  } finally {
    for (const end of ended.reverse()) {
      await end();
    }
  }
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** A copy of a healthy deployment, with a platform and a heartbeat of its own, and a system root with cron's files. */
export class DoctorLab extends Lab {
  readonly root: string;
  heartbeat = "";
  /** What the AWS SDK finds besides the file. */
  environment: Readonly<Record<string, string>> = {};

  constructor(folder: string, sandbox: ConstructorParameters<typeof Lab>[1]) {
    super(folder, sandbox, 200);
    this.root = join(folder, "root");
  }

  override async writeSettings(changes: SettingChanges = {}): Promise<void> {
    await super.writeSettings({ ARCHIVER_HEARTBEAT_URL: this.heartbeat, ...changes });
  }

  /** Writes a file below the system's root. */
  async writeRoot(path: string, text: string, mode = 0o644): Promise<void> {
    const file = join(this.root, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { mode });
  }

  /** Writes a document into the archive. */
  async writeStored(key: string, document: unknown): Promise<void> {
    const file = join(this.store.path, key);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, typeof document === "string" ? document : JSON.stringify(document));
  }

  /** Changes a document of the archive. */
  async changeStored(key: string, change: (document: Document) => unknown): Promise<void> {
    await this.writeStored(key, change(v.parse(documentSchema, await this.store.json(key))));
  }

  /** Changes the report of the run; its key tells the day of the run, as runs write it. */
  async changeReport(change: (report: Document) => Document): Promise<void> {
    const [key = ""] = await this.store.keys("runs");
    await this.addReport(change);
    await rm(join(this.store.path, key));
  }

  /** Adds a report that differs so from that of the run. */
  async addReport(change: (report: Document) => Document): Promise<void> {
    const [key = ""] = await this.store.keys("runs");
    const report = change(v.parse(documentSchema, await this.store.json(key)));
    const runId = String(report.startedAt).replaceAll(/[-:.]/g, "").concat("-aaaaaaaa");
    const day = String(report.startedAt).slice(0, 10).replaceAll("-", "/");
    await this.writeStored(`runs/${day}/${runId}.json`, { ...report, runId });
  }

  async examine(groups?: readonly Group[]): Promise<Examined> {
    const { root, environment } = this;
    return await examineFile(this.envFile, { root, environment, ...(groups && { groups }) });
  }

  /** Archive, queue, settings and the system's files: every entry with its mode, time and content. */
  async snapshot(): Promise<readonly string[]> {
    return await snapshotOf(this.folder, ["platform"]);
  }
}

export async function copyHealthy(
  healthy: HealthyFolder,
  { onTestFinished }: Pick<TestContext, "onTestFinished">,
): Promise<DoctorLab> {
  const folder = await mkdtemp(join(tmpdir(), "archiver-doctor-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await cp(healthy.folder, folder, { recursive: true, preserveTimestamps: true });
  const settings = { projectId: PROJECT_ID, accounts: [ACCOUNT], downloadIntervalMs: UNPACED_MS };
  const platform = await startSandbox({ stateFolder: join(folder, "platform"), settings });
  onTestFinished(() => platform.stop());
  const receiver = await Receiver.open(saying(200));
  onTestFinished(() => receiver[Symbol.asyncDispose]());
  const lab = new DoctorLab(folder, platform);
  lab.heartbeat = `${receiver.origin}/5f2d9c3a-planted-00001`;
  await lab.writeSettings();
  await lab.writeRoot("usr/bin/node", "#!/bin/sh\n", 0o755);
  await lab.writeRoot("etc/cron.d/iotda-archiver", cronLine(lab));
  return lab;
}

/** An entry of cron's that starts runs. */
export function cronLine(
  lab: Pick<DoctorLab, "root" | "envFile">,
  { path = join(lab.root, "usr/bin"), config = lab.envFile } = {},
): string {
  return `PATH=${path}\n*/30 * * * *  archiver  iotda-archiver run --config ${config}\n`;
}

async function snapshotOf(folder: string, without: readonly string[]): Promise<readonly string[]> {
  const names = (await readdir(folder, { recursive: true })).sort();
  const kept = names.filter((name) => !without.includes(name.split("/")[0] ?? ""));
  return await Promise.all(
    kept.map(async (name) => {
      const path = join(folder, name);
      const { mode, mtimeMs, size } = await stat(path);
      const isFile = (mode & 0o170000) === 0o100000;
      const digest = isFile
        ? createHash("sha256")
            .update(await readFile(path))
            .digest("hex")
        : "";
      return `${name} ${mode.toString(8)} ${mtimeMs} ${isFile ? size : ""} ${digest}`;
    }),
  );
}
