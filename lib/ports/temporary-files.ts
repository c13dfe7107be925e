import type { CallOptions } from "./platform.ts";

/** The bytes of a file, read at any place. */
export interface ReadableFile {
  read(startByte: number, endByteExclusive: number): AsyncIterable<Uint8Array>;
}

/** A place on this machine for files that no other program sees and that do not outlive their use. */
export interface TemporaryFiles {
  /**
   * Writes the chunks into a file of its own, gives it to `use`, and removes it whatever happens.
   * Throws what the chunks and `use` throw, and what the file system throws, such as a lack of space.
   */
  hold<Result>(
    chunks: AsyncIterable<Uint8Array>,
    use: (file: ReadableFile) => Promise<Result>,
    options: CallOptions,
  ): Promise<Result>;
}
