import { createHash } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { startS3 } from "../../sandbox/s3/start.ts";
import { openUploads, storeOn } from "./s3-servers.ts";
import { bytesOf } from "./store-helpers.ts";

const { signal } = new AbortController();
const BUCKET = "locked";

// A bucket with object lock takes no body without a digest, and keeps versions.
test.each(["aws", "generic"] as const)("a bucket with object lock, profile %s", async (profile) => {
  const standIn = await startS3({
    profile: profile === "aws" ? "aws" : "generic-rich",
    settings: { buckets: [{ name: BUCKET, versioning: true, objectLock: {} }] },
  });
  onTestFinished(() => standIn.stop());
  const store = storeOn(standIn, { profile, bucket: BUCKET });
  onTestFinished(() => store.close());
  expect(await store.preflight({ signal })).toMatchObject({ createOnce: true, compareAndSwap: true });
  for (const sizeBytes of [10_000, 12_000_000]) {
    const key = `exports/p/default/2026/11/22/task-1/00112233-${sizeBytes.toString(16).padStart(6, "0")}.zip`;
    const body = bytesOf(sizeBytes);
    const upload = await store.openUpload(key, { metadata: {}, expectedSizeBytes: sizeBytes, signal });
    await upload.write(body);
    const sha256 = createHash("sha256").update(body).digest("hex");
    const stored = await upload.complete({ sizeBytes, sha256 });
    expect(stored).toMatchObject({ sizeBytes, versionId: expect.any(String) });
    expect(await store.head(key, { signal })).toMatchObject({ versionId: stored.versionId });
  }
  const written = await store.putDocument("records/a.json", "{}", { kind: "if-absent" }, { signal });
  expect(written).not.toBe("conflict");
  expect(await openUploads(store)).toEqual([]);
});
