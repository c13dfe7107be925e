import { noteSpentBytes } from "../network/spent-buffers.ts";
import type { ExportDownload } from "../ports/platform.ts";
import type { Connection } from "./connection.ts";
import { unreachable } from "./errors.ts";

/** Wraps an open 200 answer whose beginning was looked at; iterating gives every byte exactly once. */
export class OpenDownload implements ExportDownload {
  readonly contentLengthBytes: number | undefined;
  readonly body: AsyncIterable<Uint8Array>;
  readonly #connection: Connection;

  /**
   * @param first what was read already; `rest` goes on behind it.
   */
  constructor(
    connection: Connection,
    contentLengthBytes: number | undefined,
    first: readonly Uint8Array[],
    rest: AsyncIterator<Uint8Array>,
  ) {
    this.contentLengthBytes = contentLengthBytes;
    this.#connection = connection;
    this.body = iterableOnce(() => bytesOf(connection, first, rest));
  }

  cancel(): void {
    const hint = "The archiver dropped this download itself; the run report says why.";
    this.#connection.fail(unreachable("ShowExportTask: the download was cancelled", hint));
  }
}

async function* bytesOf(
  connection: Connection,
  first: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    connection.throwIfFailed();
    yield* first;
    let next = await rest.next();
    while (next.done !== true) {
      yield next.value;
      noteSpentBytes(next.value.byteLength);
      next = await rest.next();
    }
  } catch (thrown) {
    throw connection.reasonFor(thrown);
  } finally {
    void connection.end();
  }
}

/** A second pass over a body would silently be an empty one. */
function iterableOnce(start: () => AsyncIterator<Uint8Array>): AsyncIterable<Uint8Array> {
  let started = false;
  return {
    [Symbol.asyncIterator]() {
      if (started) {
        throw new Error("a download body can be read only once");
      }
      started = true;
      return start();
    },
  };
}
