import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { bareEnvironment } from "../workplace.ts";
import type { JobInput } from "./job.ts";
import type { Command } from "./process-tree.ts";
import type { Target } from "./target.ts";

const run = promisify(execFile);

export const OURS = "ours, aws";
export const OURS_GENERIC = "ours, generic";
export const LIB_STORAGE = "lib-storage";
export const BARE = "bare PutObject loop";
export const RCLONE = "rclone copyurl";
export const AWS_CLI = "curl \\| aws s3 cp -";
export const CURL = "curl \\| curl -T -";

/** One file on its way from an address to a key. */
export interface Transfer {
  readonly url: string;
  readonly key: string;
  readonly sizeBytes: number;
}

/** Our writer, through one of its profiles. */
export function ourCommand(
  target: Target,
  profile: "aws" | "generic",
  job: Omit<JobInput, "endpoint" | "bucket" | "region">,
): Command {
  return nodeCommand(target, "ours.ts", { ...job, profile });
}

export function nodeCommand(
  target: Target,
  program: "ours.ts" | "lib-storage.ts" | "put-object.ts",
  job: Omit<JobInput, "endpoint" | "bucket" | "region">,
): Command {
  const { endpoint, bucket, region } = target;
  const file = join(import.meta.dirname, "peers", program);
  return {
    program: process.execPath,
    args: [file, JSON.stringify({ endpoint, bucket, region, ...job })],
    environment: withKeys(target),
  };
}

/** One file by one start of rclone. Its S3 settings beyond the address are its own defaults. */
export function rcloneCommand(target: Target, { url, key }: Transfer): Command {
  const args = ["copyurl", url, `bench:${target.bucket}/${key}`];
  return { program: "rclone", args, environment: rcloneEnvironment(target) };
}

/** `rcat --size`, fed by a pipe that ends early. */
export function rcloneRcatCommand(
  target: Target,
  {
    key,
    sentBytes,
    declaredBytes,
  }: { readonly key: string; readonly sentBytes: number; readonly declaredBytes: number },
): Command {
  const script = 'head -c "$1" /dev/zero | rclone rcat --size "$2" "$3"';
  const args = [String(sentBytes), String(declaredBytes), `bench:${target.bucket}/${key}`];
  return { program: "sh", args: ["-c", script, "sh", ...args], environment: rcloneEnvironment(target) };
}

/** The exit code is that of `aws`, as in every shell without `pipefail`. */
export function awsCliCommand(target: Target, { url, key, sizeBytes }: Transfer): Command {
  const script =
    'curl --silent --show-error --fail "$1" | aws --endpoint-url "$2" s3 cp - "$3" --expected-size "$4" --quiet';
  const args = [url, target.endpoint, `s3://${target.bucket}/${key}`, String(sizeBytes)];
  return {
    program: "sh",
    args: ["-c", script, "sh", ...args],
    environment: {
      ...withKeys(target),
      AWS_REGION: target.region,
      AWS_CONFIG_FILE: "/dev/null",
      AWS_EC2_METADATA_DISABLED: "true",
    },
  };
}

/** One unsigned PUT of announced length, no digest: the floor. S3 takes no chunked body without aws-chunked. */
export function curlCommand(target: Target, { url, key, sizeBytes }: Transfer): Command {
  const script = [
    'curl --silent --show-error --fail "$1" |',
    'curl --silent --show-error --fail --aws-sigv4 "aws:amz:$2:s3" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"',
    '-H "x-amz-content-sha256: UNSIGNED-PAYLOAD" -H "Transfer-Encoding:" -H "Expect:" -H "Content-Length: $3" -T - "$4"',
  ].join(" ");
  const args = [url, target.region, String(sizeBytes), `${target.endpoint}/${target.bucket}/${key}`];
  return { program: "sh", args: ["-c", script, "sh", ...args], environment: withKeys(target) };
}

/** The program's own line about its version; `undefined` when it is not installed. */
export async function versionOf(program: "rclone" | "aws" | "curl"): Promise<string | undefined> {
  try {
    const { stdout } = await run(program, [program === "rclone" ? "version" : "--version"]);
    return /[\w-]+[ /]v?\d[\w.-]*/.exec(stdout)?.[0];
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return undefined;
    }
    throw error;
  }
}

function rcloneEnvironment(target: Target): NodeJS.ProcessEnv {
  return {
    ...bareEnvironment(),
    // No settings of this machine's user.
    RCLONE_CONFIG: "/dev/null",
    RCLONE_CONFIG_BENCH_TYPE: "s3",
    RCLONE_CONFIG_BENCH_PROVIDER: "Other",
    RCLONE_CONFIG_BENCH_ENDPOINT: target.endpoint,
    RCLONE_CONFIG_BENCH_REGION: target.region,
    RCLONE_CONFIG_BENCH_ACCESS_KEY_ID: target.accessKeyId,
    RCLONE_CONFIG_BENCH_SECRET_ACCESS_KEY: target.secretAccessKey,
    RCLONE_CONFIG_BENCH_NO_CHECK_BUCKET: "true",
  };
}

function withKeys({ accessKeyId, secretAccessKey }: Target): NodeJS.ProcessEnv {
  return {
    ...bareEnvironment(),
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
}
