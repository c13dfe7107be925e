import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { S3Control } from "./control-client.ts";
import { type S3ProfileName, s3Profiles } from "./profiles.ts";
import { startServer } from "./server.ts";
import { type Account, type S3SettingsInput, settingsSchema } from "./settings.ts";
import { S3Store } from "./store.ts";

export { S3Control, S3ControlError } from "./control-client.ts";
export type { S3Interference, S3ObjectView, S3StateView, S3UploadView } from "./control-protocol.ts";
export type { S3FaultRuleInput } from "./faults.ts";
export { type S3ProfileName, s3Profiles } from "./profiles.ts";
export type { S3LogEntry } from "./request-log.ts";
export type { S3SettingsInput } from "./settings.ts";

export interface S3Options {
  /** Default: `aws`. */
  readonly profile?: S3ProfileName;
  /** On top of the profile. */
  readonly settings?: S3SettingsInput;
  /** Default 0: the system chooses. */
  readonly port?: number;
}

/** A store that stands in for S3, and how to reach it. Its content ends with it. */
export interface S3StandIn {
  /** `http://127.0.0.1:{port}`; path style, or virtual-host style under `*.localhost`. */
  readonly endpoint: string;
  /** The first bucket's name. */
  readonly bucket: string;
  readonly region: string;
  /** The first account. */
  readonly account: Account;
  readonly control: S3Control;
  stop(): Promise<void>;
}

/** A stand-in in a process of its own. */
export interface S3Process extends S3StandIn {
  readonly pid: number;
}

const START_LIMIT_MS = 20_000;
const readyLineSchema = v.pipe(v.string(), v.parseJson(), v.object({ endpoint: v.string() }));

/** Starts a stand-in in this process. */
export async function startS3(options: S3Options = {}): Promise<S3StandIn> {
  const settings = settingsOf(options);
  const folder = await mkdtemp(join(tmpdir(), "s3-stand-in-"));
  const remove = async (): Promise<void> => await rm(folder, { recursive: true, force: true });
  const starting = startServer(new S3Store(folder, settings), options.port ?? 0);
  const server = await starting.catch(async (thrown: unknown) => {
    await remove();
    throw thrown;
  });
  return {
    ...described(server.endpoint, settings),
    stop: async () => {
      await server.stop();
      await remove();
    },
  };
}

/**
 * Starts a stand-in in a process of its own, which ends when this process does.
 *
 * @throws Error when it does not get ready; its error output says why.
 */
export async function spawnS3(options: S3Options = {}): Promise<S3Process> {
  const settings = settingsOf(options);
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const args = ["--settings", JSON.stringify(settings), "--port", String(options.port ?? 0)];
  const child = spawn(process.execPath, [main, ...args, "--until-stdin-closes"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const endpoint = await readyEndpoint(child, exited).catch((thrown: unknown) => {
    child.kill("SIGKILL");
    throw thrown;
  });
  return {
    ...described(endpoint, settings),
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

type ResolvedSettings = v.InferOutput<typeof settingsSchema>;

function settingsOf({ profile = "aws", settings = {} }: S3Options): ResolvedSettings {
  return v.parse(settingsSchema, { ...s3Profiles[profile], ...settings });
}

function described(endpoint: string, settings: ResolvedSettings): Omit<S3StandIn, "stop"> {
  const [bucket] = settings.buckets;
  const [account] = settings.accounts;
  if (bucket === undefined || account === undefined) {
    throw new Error("the settings have no bucket or no account");
  }
  return {
    endpoint,
    bucket: bucket.name,
    region: settings.region,
    account,
    control: new S3Control(endpoint),
  };
}

type Spawned = ChildProcessByStdio<Writable, Readable, null>;

async function readyEndpoint(child: Spawned, exited: Promise<unknown[]>): Promise<string> {
  const signal = AbortSignal.timeout(START_LIMIT_MS);
  const ready = once(createInterface(child.stdout), "line", { signal });
  // Only the first of the two is waited for.
  ready.catch(() => undefined);
  const [first] = await Promise.race([ready, exited]);
  const line = v.safeParse(readyLineSchema, first);
  if (!line.success) {
    throw new Error("the S3 stand-in ended before it was ready; its error output says why");
  }
  return line.output.endpoint;
}
