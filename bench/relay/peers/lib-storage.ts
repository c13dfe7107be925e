// `@aws-sdk/lib-storage` with its defaults, as its users write it.
import { S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { keyOf } from "../job.ts";
import { runPeer } from "./program.ts";
import { fetchWhole, openBody } from "./source-body.ts";

await runPeer(async (job, signal) => {
  const client = new S3Client({ endpoint: job.endpoint, region: job.region, forcePathStyle: true });
  let workMs = 0;
  for (let item = 0; item < job.items; item += 1) {
    const bytes = job.timed === "store" ? await fetchWhole(job.body) : undefined;
    const startedAtMs = performance.now();
    const source = bytes === undefined ? await openBody(job.body) : undefined;
    const upload = new Upload({
      client,
      params: {
        Bucket: job.bucket,
        Key: keyOf(job, item),
        Body: source?.stream ?? bytes ?? "",
        ...(source?.declaredBytes === undefined ? {} : { ContentLength: source.declaredBytes }),
      },
    });
    signal.addEventListener("abort", () => void upload.abort(), { once: true });
    await upload.done();
    workMs += performance.now() - startedAtMs;
  }
  client.destroy();
  return { workMs, proofMs: 0 };
});
