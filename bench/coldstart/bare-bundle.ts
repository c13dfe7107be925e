import { join } from "node:path";
import { build } from "esbuild";

const ROOT = join(import.meta.dirname, "..", "..");

/** What every function with a bucket and a queue pays at least: the two clients, bundled as anybody would. */
export async function buildBareBundle(file: string): Promise<void> {
  await build({
    absWorkingDir: ROOT,
    stdin: {
      contents: `export { S3Client } from "@aws-sdk/client-s3"; export { SQSClient } from "@aws-sdk/client-sqs";`,
      resolveDir: ROOT,
    },
    outfile: file,
    bundle: true,
    minify: true,
    format: "esm",
    platform: "node",
    target: "node22",
    mainFields: ["module", "main"],
    legalComments: "none",
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  });
}
