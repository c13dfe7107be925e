import { createReadStream } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { TemporaryFiles } from "../ports/temporary-files.ts";

/** Temporary files in the system's own place, readable by this user alone. */
export const systemTemporaryFiles: TemporaryFiles = {
  async hold(chunks, use, { signal }) {
    const folder = await mkdtemp(join(tmpdir(), "iotda-archiver-"));
    const path = join(folder, "copy");
    try {
      const handle = await open(path, "wx", 0o600);
      try {
        for await (const chunk of chunks) {
          signal.throwIfAborted();
          await handle.writeFile(chunk);
        }
      } finally {
        await handle.close();
      }
      return await use({
        // An empty range has no end that a stream could be given.
        read: (startByte, endByteExclusive) =>
          endByteExclusive <= startByte
            ? Readable.from([])
            : createReadStream(path, { start: startByte, end: endByteExclusive - 1, signal }),
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};
