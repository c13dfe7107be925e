import type { Bytes } from "../kit/answer.ts";
import { splitOnce } from "../kit/signing.ts";
import { S3Refusal } from "./errors.ts";
import { chunkSignature, type VerifiedSignature } from "./signature.ts";

/** The payload declarations whose bodies are framed. */
export type StreamingPayload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER" | "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";

const MAX_CHUNK_BYTES = 16 * 1024 * 1024;
const MAX_LINE_BYTES = 1024;
const LINE_END = Buffer.from("\r\n");

export function isStreamingPayload(text: string): text is StreamingPayload {
  return text === "STREAMING-UNSIGNED-PAYLOAD-TRAILER" || text === "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
}

/**
 * Takes the aws-chunked framing off a body: `{hex size}[;chunk-signature={hex}]\r\n{bytes}\r\n … 0…\r\n
 * [{trailer}:{value}\r\n]\r\n`.
 *
 * @param trailers filled when the generator has ended; lowercase names.
 * @throws S3Refusal SignatureDoesNotMatch, IncompleteBody, InvalidRequest
 */
export async function* decodeChunks(
  body: Bytes,
  payload: StreamingPayload,
  verified: VerifiedSignature,
  trailers: Map<string, string>,
): Bytes {
  const reader = new FrameReader(body);
  let previous = verified.signature;
  for (;;) {
    const [sizeText, extension] = splitOnce(await reader.line(), ";");
    const sizeBytes = /^[0-9a-fA-F]{1,8}$/.test(sizeText) ? Number.parseInt(sizeText, 16) : Number.NaN;
    if (!(sizeBytes <= MAX_CHUNK_BYTES)) {
      throw new S3Refusal("InvalidRequest", "A chunk of the body has no valid size.");
    }
    const chunk = await reader.bytes(sizeBytes);
    if (payload === "STREAMING-AWS4-HMAC-SHA256-PAYLOAD") {
      previous = requireChunkSignature(verified, previous, chunk, extension);
    }
    if (sizeBytes === 0) {
      break;
    }
    yield chunk;
    if ((await reader.line()) !== "") {
      throw new S3Refusal("IncompleteBody", "A chunk of the body does not end where it said.");
    }
  }
  for (let line = await reader.line(); line !== ""; line = await reader.line()) {
    const [name, value] = splitOnce(line, ":");
    trailers.set(name.trim().toLowerCase(), value.trim());
  }
}

function requireChunkSignature(
  verified: VerifiedSignature,
  previous: string,
  chunk: Buffer,
  extension: string,
): string {
  const expected = chunkSignature(verified, previous, chunk);
  if (extension !== `chunk-signature=${expected}`) {
    throw new S3Refusal("SignatureDoesNotMatch", "The signature of a chunk does not match.");
  }
  return expected;
}

class FrameReader {
  readonly #source: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.alloc(0);

  constructor(body: Bytes) {
    this.#source = body[Symbol.asyncIterator]();
  }

  /** A line without its end. */
  async line(): Promise<string> {
    let end = this.#held.indexOf(LINE_END);
    while (end < 0) {
      if (this.#held.length > MAX_LINE_BYTES) {
        throw new S3Refusal("InvalidRequest", "A line of the body's framing is too long.");
      }
      if (!(await this.#more())) {
        throw new S3Refusal("IncompleteBody", "The body ended before its last chunk.");
      }
      end = this.#held.indexOf(LINE_END);
    }
    const line = this.#held.subarray(0, end).toString("latin1");
    this.#held = this.#held.subarray(end + LINE_END.length);
    return line;
  }

  async bytes(sizeBytes: number): Promise<Buffer> {
    const taken: Buffer[] = [];
    let missing = sizeBytes;
    while (missing > 0) {
      if (this.#held.length === 0 && !(await this.#more())) {
        throw new S3Refusal("IncompleteBody", "The body ended before its last chunk.");
      }
      const piece = this.#held.subarray(0, missing);
      this.#held = this.#held.subarray(piece.length);
      missing -= piece.length;
      taken.push(piece);
    }
    return taken.length === 1 && taken[0] !== undefined ? taken[0] : Buffer.concat(taken);
  }

  async #more(): Promise<boolean> {
    const next = await this.#source.next();
    if (next.done === true) {
      return false;
    }
    this.#held = this.#held.length === 0 ? next.value : Buffer.concat([this.#held, next.value]);
    return true;
  }
}
