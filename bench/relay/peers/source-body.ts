import { get, type IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import type { JobBody } from "../job.ts";
import { ZipBody } from "../zip-body.ts";

/** A body and what was said about its length. */
export interface SourceBody {
  readonly stream: Readable;
  readonly declaredBytes: number | undefined;
}

/** Begins to fetch. @throws Error for anything but a 200. */
export async function openBody(body: JobBody): Promise<SourceBody> {
  switch (body.kind) {
    case "stream": {
      const chunks = new ZipBody(body.declaredBytes).chunks(body.sentBytes);
      return { stream: Readable.from(chunks, { objectMode: false }), declaredBytes: body.declaredBytes };
    }
    case "http": {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        get(body.url, resolve).on("error", reject);
      });
      if (response.statusCode !== 200) {
        response.destroy();
        throw new Error(`the source answered with status ${response.statusCode}`);
      }
      const length = response.headers["content-length"];
      return { stream: response, declaredBytes: length === undefined ? undefined : Number(length) };
    }
  }
}

/** The whole body in memory, for items whose storing alone is timed. */
export async function fetchWhole(body: JobBody): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of (await openBody(body)).stream) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
