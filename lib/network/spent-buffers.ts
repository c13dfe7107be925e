import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** A collection takes about a millisecond; a stream of 1 GiB meets 128 of them. */
const COLLECT_EVERY_BYTES = 8 * 1024 * 1024;

/**
 * Young collections move what lives a little longer than a request into the old space, which V8 is then in no
 * hurry to look through: a 4 GiB relay to S3 peaked at 163 MiB without this, at 158.5 with it.
 */
const COLLECT_ALL_EVERY = 12;

/** Of all streams together: there is one heap. */
let spentBytes = 0;
let collections = 0;
let collect: Collect | undefined;

type Collect = (what: "minor" | "major") => void;

/**
 * Says that a stream is done with a buffer of this size, so that the memory of spent buffers is taken back every
 * few MiB.
 *
 * The bytes of a Buffer lie outside V8's heap and bring its next collection no nearer until 64 MiB of them are
 * waiting: a 1 GiB download peaked 76 MiB above idle, and with this at 30, in no more CPU time (bench/RESULTS.md has
 * the figures of today).
 */
export function noteSpentBytes(sizeBytes: number): void {
  spentBytes += sizeBytes;
  if (spentBytes >= COLLECT_EVERY_BYTES) {
    spentBytes = 0;
    collections += 1;
    collect ??= collector();
    collect(collections % COLLECT_ALL_EVERY === 0 ? "major" : "minor");
  }
}

/**
 * Node has no other way to ask for it than the function that `--expose-gc` puts into a context made after it. Without
 * that function everything works, in more memory.
 */
function collector(): Collect {
  setFlagsFromString("--expose-gc");
  const gc: unknown = runInNewContext("globalThis.gc");
  setFlagsFromString("--no-expose-gc");
  return typeof gc === "function" ? (type) => gc({ type }) : () => undefined;
}
