// A program of its own, so that its CPU time and memory can be told: downloads one export with nothing but Node,
// hashes it on the way into a file and flushes that; with `--read-back` it reads the file again and compares.
// Usage: node floor-client.ts '<JSON request>' <file> [--read-back]
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { get, type IncomingMessage, type RequestOptions } from "node:http";
import { pipeline } from "node:stream/promises";

const [request = "", file = "", option] = process.argv.slice(2);

const response = await new Promise<IncomingMessage>((resolve, reject) => {
  get(JSON.parse(request) as RequestOptions, resolve).on("error", reject);
});
if (response.statusCode !== 200) {
  throw new Error(`the sandbox answered with status ${response.statusCode}`);
}
const hash = createHash("sha256");
await pipeline(
  response,
  async function* hashed(body: AsyncIterable<Buffer>) {
    for await (const chunk of body) {
      hash.update(chunk);
      yield chunk;
    }
  },
  createWriteStream(file, { flush: true }),
);
const sha256 = hash.digest("hex");
if (option === "--read-back") {
  const again = createHash("sha256");
  await pipeline(createReadStream(file, { highWaterMark: 256 * 1024 }), again);
  if (again.digest("hex") !== sha256) {
    throw new Error("the file differs from what was sent");
  }
}
