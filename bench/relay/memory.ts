import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { type SandboxProcess, spawnSandbox } from "../../sandbox/start.ts";
import { bareEnvironment } from "../workplace.ts";
import { runTree } from "./process-tree.ts";
import { startTarget, type Target } from "./target.ts";

const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.mjs");
const ACCOUNT = { ak: "BENCHAK0000000000000", sk: "benchSecretKey0123456789abcdefghijklmnopq" };
const PROJECT_ID = "0123456789abcdef0123456789abcdef";
/** Not what is measured here. */
const INTERVAL_MS = 100;
const RUN_LIMIT_MS = 240_000;
const GIB = 1024 ** 3;

/** One export archived into S3 by one run of the command line. */
export interface PipelineFigures {
  readonly sizeBytes: number;
  /** `VmHWM` of the process, at its end. */
  readonly peakResidentBytes: number;
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly openUploads: number;
}

const reportSchema = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ bytes: v.number(), counts: v.object({ archived: v.number(), deleted: v.number() }) }),
);

/** A platform with one finished export of each size, made ahead because making gigabytes takes time. */
export interface Pipeline {
  /** Archives the next export, smallest first. */
  measureNext(): Promise<PipelineFigures>;
  stop(): Promise<void>;
}

/** Starts the sandboxes of the platform and of S3; the exports are made by {@link Pipeline.measureNext}'s caller. */
export async function preparePipeline(sizesBytes: readonly number[]): Promise<Pipeline> {
  const folder = await mkdtemp(join(tmpdir(), "archiver-relay-"));
  const places: { readonly sandbox: SandboxProcess; readonly sizeBytes: number }[] = [];
  const target = await startTarget("hashed");
  for (const fillerBytes of sizesBytes) {
    const sandbox = await spawnSandbox({
      stateFolder: join(folder, `platform-${fillerBytes}`),
      settings: { projectId: PROJECT_ID, accounts: [ACCOUNT], downloadIntervalMs: INTERVAL_MS },
    });
    const container = fillerBytes < 4 * GIB ? "zip" : "zip64";
    const { sizeBytes } = await sandbox.control.addTask({ exportTaskId: "export-1", fillerBytes, container });
    places.push({ sandbox, sizeBytes });
  }
  const left = [...places];
  return {
    measureNext: async () => {
      const place = left.shift();
      if (place === undefined) {
        throw new Error("every export was archived already");
      }
      return await archiveOne(folder, place, target);
    },
    stop: async () => {
      await Promise.all([target.stop(), ...places.map(({ sandbox }) => sandbox.stop())]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function archiveOne(
  folder: string,
  { sandbox, sizeBytes }: { readonly sandbox: SandboxProcess; readonly sizeBytes: number },
  target: Target,
): Promise<PipelineFigures> {
  const prefix = `export-of-${sizeBytes}`;
  const settingsFile = join(folder, `${sizeBytes}.env`);
  const lines = [
    `ARCHIVER_IOTDA_ENDPOINT=${sandbox.endpoint}`,
    `ARCHIVER_IOTDA_PROJECT_ID=${PROJECT_ID}`,
    `HUAWEICLOUD_SDK_AK=${ACCOUNT.ak}`,
    `HUAWEICLOUD_SDK_SK=${ACCOUNT.sk}`,
    `ARCHIVER_STORE=s3://${target.bucket}/${prefix}`,
    "ARCHIVER_STORE_PROFILE=aws",
    "ARCHIVER_STORE_PATH_STYLE=true",
    `AWS_ENDPOINT_URL_S3=${target.endpoint}`,
    `AWS_REGION=${target.region}`,
    `ARCHIVER_QUEUE=sqlite://${join(folder, `${sizeBytes}.db`)}`,
    `ARCHIVER_DOWNLOAD_INTERVAL_MS=${INTERVAL_MS}`,
  ];
  await writeFile(settingsFile, `${lines.join("\n")}\n`, { mode: 0o600 });
  const args = [CLI, "run", "--json", "--config", settingsFile];
  const environment = {
    ...bareEnvironment(),
    AWS_ACCESS_KEY_ID: target.accessKeyId,
    AWS_SECRET_ACCESS_KEY: target.secretAccessKey,
  };
  const program = process.execPath;
  await runTree({ program, args: [CLI, "init", "--config", settingsFile], environment }, RUN_LIMIT_MS);
  const ended = await runTree({ program, args, environment }, RUN_LIMIT_MS);
  if (ended.exitCode !== 0) {
    throw new Error(`the archiver ended with ${ended.exitCode}:\n${ended.stderr}`);
  }
  const report = v.parse(reportSchema, ended.stdout);
  if (report.bytes !== sizeBytes || report.counts.archived !== 1 || report.counts.deleted !== 1) {
    throw new Error(`the export of ${sizeBytes} bytes was not archived and deleted: ${ended.stdout}`);
  }
  const { peakResidentBytes, cpuMs, wallMs } = ended;
  return {
    sizeBytes,
    peakResidentBytes,
    cpuMs,
    wallMs,
    openUploads: await target.openUploadsUnder(prefix),
  };
}
