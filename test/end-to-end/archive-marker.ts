import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type { S3Server } from "../contract/s3-servers.ts";

/** The archive of the labs. */
export const LAB_ARCHIVE_ID = "6d1f0a52-9c1e-4a0b-8f53-2f6f3d1b7c10";

/** `archive.json` as `init` writes it. @param createdAt old enough that an empty archive is not good news. */
export function markerText(archiveId = LAB_ARCHIVE_ID, createdAt = "2026-01-01T00:00:00.000Z"): string {
  return `${JSON.stringify({ schemaVersion: 1, archiveId, createdAt })}\n`;
}

/** Makes an archive in a folder, as `init` does, without a process of its own. */
export async function markFolder(folder: string, archiveId?: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o750 });
  await writeFile(join(folder, "archive.json"), markerText(archiveId), { mode: 0o640 });
}

/** The same in a bucket. */
export async function markBucket(server: S3Server, prefix: string, archiveId?: string): Promise<void> {
  const { endpoint, region, account, bucket } = server;
  const { accessKeyId, secretAccessKey, sessionToken } = account;
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: {
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
    },
  });
  try {
    const object = { Bucket: bucket, Key: `${prefix}/archive.json`, Body: markerText(archiveId) };
    await client.send(new PutObjectCommand(object));
  } finally {
    client.destroy();
  }
}
