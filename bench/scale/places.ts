import { createHash } from "node:crypto";
import { mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { faultRuleSchema } from "../../sandbox/s3/faults.ts";
import { s3Profiles } from "../../sandbox/s3/profiles.ts";
import { startStore } from "../../sandbox/s3/server.ts";
import { settingsSchema } from "../../sandbox/s3/settings.ts";
import { S3Store } from "../../sandbox/s3/store.ts";
import type { Planted } from "./estate.ts";

/** Where the archive of a case lies. */
export interface Place {
  readonly name: "folder" | "S3, 20 ms an answer";
  /** What the command line is told of it. */
  readonly settings: readonly string[];
  plant(file: Planted): void;
  /** Removes what lies below a folder. */
  clear(folder: string): void;
  /** By when a first inventory of 20,000 exports has done about half of its work. */
  readonly killAfterMs: number;
  /** Requests since the last call, by operation; of a folder there are none. */
  takeRequests(): Readonly<Record<string, number>> | undefined;
  stop(): Promise<void>;
}

export function folderPlace(folder: string): Place {
  return {
    name: "folder",
    settings: [`ARCHIVER_STORE=file://${folder}`],
    plant({ key, text, modifiedAtMs }) {
      const path = join(folder, key);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      utimesSync(path, modifiedAtMs / 1000, modifiedAtMs / 1000);
    },
    clear(below) {
      rmSync(join(folder, below), { recursive: true, force: true });
    },
    killAfterMs: 15_000,
    takeRequests: () => undefined,
    stop: async () => undefined,
  };
}

const ANSWER_DELAY_MS = 20;

/** The S3 stand-in in this process, which holds its objects in memory, each answer delayed. */
export async function s3Place(folder: string): Promise<Place> {
  const settings = v.parse(settingsSchema, { ...s3Profiles.aws, logBodyHashes: false });
  const store = new S3Store(folder, settings);
  const { endpoint, stop } = await startStore(store, 0);
  const [bucket] = settings.buckets;
  const [account] = settings.accounts;
  if (bucket === undefined || account === undefined) {
    throw new Error("the stand-in has no bucket or no account");
  }
  const attributes = {
    headers: {},
    storageClass: "STANDARD",
    opaqueEtag: false,
    tags: {},
    retention: undefined,
  };
  const delayed = v.parse(faultRuleSchema, {
    times: Number.MAX_SAFE_INTEGER,
    fault: { kind: "stall", releaseAfterMs: ANSWER_DELAY_MS },
  });
  store.faults.push({ rule: delayed, met: 0 });
  return {
    name: "S3, 20 ms an answer",
    settings: [
      `ARCHIVER_STORE=s3://${bucket.name}`,
      `AWS_ENDPOINT_URL_S3=${endpoint}`,
      `AWS_REGION=${settings.region}`,
      `AWS_ACCESS_KEY_ID=${account.accessKeyId}`,
      `AWS_SECRET_ACCESS_KEY=${account.secretAccessKey}`,
    ],
    plant({ key, text, modifiedAtMs }) {
      const bytes = Buffer.from(text);
      store.bucket(bucket.name).add({
        kind: "object",
        key,
        versionId: "null",
        etag: createHash("md5").update(bytes).digest("hex"),
        modifiedAtMs,
        attributes,
        checksum: undefined,
        pieces: [{ kind: "memory", bytes, sizeBytes: bytes.length }],
        retention: undefined,
        tags: {},
      });
    },
    clear(below) {
      const objects = store.bucket(bucket.name);
      for (const { key, versionId } of objects.all().filter((one) => one.key.startsWith(below))) {
        objects.remove(key, versionId);
      }
    },
    killAfterMs: 60_000,
    takeRequests() {
      const entries = store.log.read();
      store.log.clear();
      return Object.fromEntries(
        [...Map.groupBy(entries, ({ operation }) => operation)].map(([name, all]) => [name, all.length]),
      );
    },
    stop,
  };
}
