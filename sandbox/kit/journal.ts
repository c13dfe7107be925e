import { appendFileSync, closeSync, fsyncSync, ftruncateSync, openSync, readFileSync } from "node:fs";

/**
 * An append-only file of JSON lines. A line that {@link Journal.append} returned from survives the death of
 * the process and of the machine; a line torn by a kill never happened and is cut off on opening.
 */
export class Journal<Entry> {
  readonly entries: readonly Entry[];
  readonly #fd: number;

  constructor(path: string) {
    this.#fd = openSync(path, "a+", 0o600);
    const bytes = readFileSync(path);
    const wholeBytes = bytes.lastIndexOf("\n") + 1;
    if (wholeBytes < bytes.length) {
      ftruncateSync(this.#fd, wholeBytes);
    }
    const lines = bytes.subarray(0, wholeBytes).toString("utf8").split("\n").slice(0, -1);
    // Only this class writes the file, so its lines are what `append` was given.
    this.entries = lines.map((line) => JSON.parse(line) as Entry);
  }

  /**
   * Synchronous on purpose: between a decision and its record no other request may be looked at.
   *
   * @param durable whether to wait for the disk; without it the line survives a kill, not a power cut.
   */
  append(entry: Entry, durable = true): void {
    appendFileSync(this.#fd, `${JSON.stringify(entry)}\n`);
    if (durable) {
      fsyncSync(this.#fd);
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}
