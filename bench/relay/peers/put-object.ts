// A bare loop over `PutObject` with the SDK's defaults: what storing a small body costs at the least.
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { keyOf } from "../job.ts";
import { runPeer } from "./program.ts";
import { fetchWhole } from "./source-body.ts";

await runPeer(async (job) => {
  const client = new S3Client({ endpoint: job.endpoint, region: job.region, forcePathStyle: true });
  let workMs = 0;
  for (let item = 0; item < job.items; item += 1) {
    const bytes = await fetchWhole(job.body);
    const startedAtMs = performance.now();
    await client.send(new PutObjectCommand({ Bucket: job.bucket, Key: keyOf(job, item), Body: bytes }));
    workMs += performance.now() - startedAtMs;
  }
  client.destroy();
  return { workMs, proofMs: 0 };
});
