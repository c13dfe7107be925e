import * as v from "valibot";
import { onFolder, spawnStandIn } from "../kit/start.ts";
import { S3Control } from "./control-client.ts";
import { type S3ProfileName, s3Profiles } from "./profiles.ts";
import { startStore } from "./server.ts";
import { type Account, type S3Settings, type S3SettingsInput, settingsSchema } from "./settings.ts";
import { S3Store } from "./store.ts";

export { S3Control } from "./control-client.ts";
export type {
  S3Interference,
  S3LogEntry,
  S3ObjectView,
  S3StateView,
  S3UploadView,
} from "./control-protocol.ts";
export type { S3FaultRuleInput } from "./faults.ts";
export { type S3ProfileName, s3Profiles } from "./profiles.ts";
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

/** Starts a stand-in in this process. */
export async function startS3(options: S3Options = {}): Promise<S3StandIn> {
  const settings = settingsOf(options);
  return await onFolder(undefined, "s3-stand-in", async (folder) => {
    const { endpoint, stop } = await startStore(new S3Store(folder, settings), options.port ?? 0);
    return { ...described(endpoint, settings), stop };
  });
}

/**
 * Starts a stand-in in a process of its own, which ends when this process does.
 *
 * @throws Error when it does not get ready; its error output says why.
 */
export async function spawnS3(options: S3Options = {}): Promise<S3Process> {
  const settings = settingsOf(options);
  const args = ["--settings", JSON.stringify(settings), "--port", String(options.port ?? 0)];
  const { endpoint, pid, end } = await spawnStandIn(new URL("./main.ts", import.meta.url), args);
  return { ...described(endpoint, settings), pid, stop: () => end("SIGTERM") };
}

function settingsOf({ profile = "aws", settings = {} }: S3Options): S3Settings {
  return v.parse(settingsSchema, { ...s3Profiles[profile], ...settings });
}

function described(endpoint: string, settings: S3Settings): Omit<S3StandIn, "stop"> {
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
