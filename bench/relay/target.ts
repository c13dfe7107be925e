import { type S3Process, type S3SettingsInput, spawnS3 } from "../../sandbox/s3/start.ts";

/** The S3 server that all peers of one run write to. */
export interface Target {
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Sizes of the objects whose keys begin with the prefix, as the server sees them. */
  sizesUnder(keyPrefix: string): Promise<readonly number[]>;
  /** How many multipart uploads are open for such keys. */
  openUploadsUnder(keyPrefix: string): Promise<number>;
  stop(): Promise<void>;
}

/** AWS's rules without what only costs the server time. */
const QUIET: S3SettingsInput = { defaultChecksum: "none", logBodyHashes: false };

/**
 * Our strict stand-in in a process of its own.
 *
 * @param largeBodies `hashed`: every digest is checked and the bytes are given up, so that no disk is measured.
 */
export async function startTarget(largeBodies: "hashed" | "kept"): Promise<Target> {
  return targetOf(await spawnS3({ profile: "aws", settings: { ...QUIET, largeBodies } }));
}

function targetOf(standIn: S3Process): Target {
  const { endpoint, bucket, region, account, control } = standIn;
  return {
    endpoint,
    bucket,
    region,
    accessKeyId: account.accessKeyId,
    secretAccessKey: account.secretAccessKey,
    sizesUnder: async (keyPrefix) => {
      const { objects } = await control.state();
      return objects.filter(({ key }) => key.startsWith(keyPrefix)).map(({ sizeBytes }) => sizeBytes);
    },
    openUploadsUnder: async (keyPrefix) => {
      const { openUploads } = await control.state();
      return openUploads.filter(({ key }) => key.startsWith(keyPrefix)).length;
    },
    stop: async () => await standIn.stop(),
  };
}
