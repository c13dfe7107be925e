import type { ExportDownload } from "../ports/platform.ts";
import { unreachable } from "./errors.ts";
import type { Exchange } from "./exchange.ts";

/**
 * An open 200 answer whose beginning was looked at; iterating gives every byte exactly once.
 *
 * @param first what was read already; `rest` goes on behind it.
 */
export function openDownload(
  exchange: Exchange,
  contentLengthBytes: number | undefined,
  first: readonly Uint8Array[],
  rest: AsyncGenerator<Uint8Array>,
): ExportDownload {
  return {
    contentLengthBytes,
    body: bytesOf(exchange, first, rest),
    cancel() {
      const hint = "The archiver cancelled this download. The run report says why.";
      exchange.fail(unreachable("ShowExportTask: the download was cancelled", hint));
    },
  };
}

async function* bytesOf(
  exchange: Exchange,
  first: readonly Uint8Array[],
  rest: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    exchange.throwIfFailed();
    yield* first;
    yield* rest;
  } catch (thrown) {
    throw exchange.reasonFor(thrown);
  } finally {
    void exchange.end();
  }
}

/** How much of a body is looked at, or read as an error text, at most. */
export const MAX_PEEK_BYTES = 64 * 1024;

/** What the beginning of a 200 answer turned out to be. */
type Peeked =
  /** Nothing that an error begins with; `first` are the bytes read so far, to be passed on. */
  | { readonly kind: "bytes"; readonly first: readonly Uint8Array[] }
  | { readonly kind: "html" }
  /** A short body that begins like a JSON object, whole; `first` are its bytes. */
  | { readonly kind: "json"; readonly first: readonly Uint8Array[]; readonly text: string };

const HTML = /^<(?:!doctype\s+html|html[\s>])/i;
/** As many characters as decide between HTML and other markup. */
const HTML_DECIDED_AT = 64;
/** The UTF-8 byte order mark, read as Latin-1 like the rest of a beginning. */
const BYTE_ORDER_MARK = "\u00ef\u00bb\u00bf";
const LEADING = new RegExp(`^(?:${BYTE_ORDER_MARK})?[\\t-\\r ]*`);

/**
 * Reads just enough of a body to tell an error in disguise from a file (iotda-api §2.1): one chunk for a ZIP,
 * up to {@link MAX_PEEK_BYTES} for what begins with `{`. Throws what the body throws.
 */
export async function peekBody(body: AsyncIterator<Uint8Array>): Promise<Peeked> {
  const first: Uint8Array[] = [];
  let sizeBytes = 0;
  let beginning = "";
  while (sizeBytes <= MAX_PEEK_BYTES) {
    const next = await body.next();
    if (next.done === true) {
      return beginning.startsWith("{")
        ? { kind: "json", first, text: textOf(first) }
        : { kind: "bytes", first };
    }
    first.push(Buffer.from(next.value));
    sizeBytes += next.value.byteLength;
    beginning = grow(beginning, next.value);
    if (HTML.test(beginning)) {
      return { kind: "html" };
    }
    if (!undecided(beginning)) {
      break;
    }
  }
  return { kind: "bytes", first };
}

/** The first characters after byte order mark and white space, with one more chunk read. */
function grow(beginning: string, chunk: Uint8Array): string {
  if (beginning.length >= HTML_DECIDED_AT) {
    return beginning;
  }
  const text = beginning + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("latin1");
  return text.replace(LEADING, "").slice(0, HTML_DECIDED_AT);
}

/** Whether more bytes could still make an error of it. */
function undecided(beginning: string): boolean {
  return (
    beginning.startsWith("{") ||
    BYTE_ORDER_MARK.startsWith(beginning) ||
    (beginning.startsWith("<") && beginning.length < HTML_DECIDED_AT)
  );
}

/** The text of chunks, without a byte order mark. */
export function textOf(chunks: readonly Uint8Array[]): string {
  return new TextDecoder().decode(Buffer.concat(chunks));
}

/**
 * Reads a whole body as text. `undefined` when it is longer than `maxBytes`; the rest is then left unread.
 * Throws what the body throws.
 */
export async function readText(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maxBytes) {
      return undefined;
    }
    chunks.push(Buffer.from(chunk));
  }
  return textOf(chunks);
}
