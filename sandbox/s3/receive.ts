import { createHash } from "node:crypto";
import type { Bytes } from "../kit/answer.ts";
import {
  type Checksum,
  type ChecksumAlgorithm,
  checksumHeader,
  checksumIn,
  parseAlgorithm,
  requireSameChecksum,
  startChecksum,
} from "./checksums.ts";
import { decodeChunks, isStreamingPayload } from "./chunked.ts";
import { flipByte, type Piece, truncatePieces } from "./content.ts";
import { S3Refusal } from "./errors.ts";
import { type Exchange, header } from "./exchange.ts";
import { UNSIGNED_PAYLOAD } from "./signature.ts";

/** A body that came whole and matched every digest that came with it. */
export interface ReceivedBody {
  readonly piece: Piece;
  /** Of what was sent; a fault may have stored less. */
  readonly sizeBytes: number;
  readonly md5: Buffer;
  /** Base64, of the algorithms asked for and the one that was sent. */
  readonly checksums: ReadonlyMap<ChecksumAlgorithm, string>;
  /** The checksum the client sent, where the store looks at it. */
  readonly claimed: Checksum | undefined;
}

const MAX_BODY_BYTES = 5 * 1024 ** 3;
const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;

/**
 * Takes in the body of PutObject or UploadPart.
 *
 * @param wanted checksums the store computes although the client may not send them.
 * @throws S3Refusal for a body that is not what its headers say; nothing of it stays then.
 */
export async function receiveBody(
  exchange: Exchange,
  wanted: readonly ChecksumAlgorithm[],
): Promise<ReceivedBody> {
  const { settings } = exchange;
  const announced = announcedAlgorithms(exchange);
  const trailers = new Map<string, string>();
  const md5 = createHash("md5");
  const running = new Map(
    [...new Set([...wanted, ...announced])].map((algorithm) => [algorithm, startChecksum(algorithm)]),
  );
  const writer = exchange.pieces.writer(settings.largeBodies === "kept");
  let sizeBytes = 0;
  try {
    for await (const chunk of payloadOf(exchange, trailers)) {
      sizeBytes += chunk.length;
      if (sizeBytes > MAX_BODY_BYTES) {
        throw new S3Refusal("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
      }
      md5.update(chunk);
      for (const checksum of running.values()) {
        checksum.update(chunk);
      }
      await writer.write(chunk);
    }
    const digest = md5.digest();
    const checksums = new Map(
      [...running].map(([algorithm, checksum]) => [algorithm, checksum.digest().toString("base64")]),
    );
    requireLength(exchange, sizeBytes);
    requireContentMd5(exchange, digest);
    const claimed = settings.checksums
      ? checksumIn(new Map([...exchange.head.headers, ...trailers]))
      : undefined;
    if (claimed !== undefined) {
      requireSameChecksum(claimed, checksums.get(claimed.algorithm));
    }
    const piece = await writer.finish();
    await spoil(exchange, piece);
    return { piece, sizeBytes, md5: digest, checksums, claimed };
  } catch (thrown) {
    await writer.discard();
    throw thrown;
  }
}

/** Takes in a small XML body. */
export async function receiveDocument(exchange: Exchange): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of payloadOf(exchange, new Map())) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_DOCUMENT_BYTES) {
      throw new S3Refusal("EntityTooLarge", "The XML document is too large");
    }
    chunks.push(chunk);
  }
  const document = Buffer.concat(chunks);
  requireContentMd5(exchange, createHash("md5").update(document).digest());
  return document.toString("utf8");
}

/** The algorithms the headers say a checksum will come for. */
function announcedAlgorithms(exchange: Exchange): ChecksumAlgorithm[] {
  if (!exchange.settings.checksums) {
    return [];
  }
  const trailer = header(exchange, "x-amz-trailer")?.toLowerCase();
  const inHeader = checksumIn(exchange.head.headers)?.algorithm;
  const inTrailer =
    trailer === undefined ? undefined : parseAlgorithm(trailer.replace(/^x-amz-checksum-/, ""));
  const named = header(exchange, "x-amz-sdk-checksum-algorithm");
  const sent = [inHeader, inTrailer].filter((algorithm) => algorithm !== undefined);
  if (named !== undefined && !sent.includes(parseAlgorithm(named))) {
    throw new S3Refusal(
      "InvalidRequest",
      `x-amz-sdk-checksum-algorithm specified, but no corresponding ${checksumHeader(parseAlgorithm(named))} or x-amz-trailer headers were found.`,
    );
  }
  return sent;
}

/** The body without its framing, its declared hash compared on the way. */
async function* payloadOf(exchange: Exchange, trailers: Map<string, string>): Bytes {
  const declared = header(exchange, "x-amz-content-sha256") ?? "";
  if (isStreamingPayload(declared)) {
    switch (exchange.settings.awsChunked) {
      case "decoded":
        if (header(exchange, "x-amz-decoded-content-length") === undefined) {
          throw new S3Refusal("MissingContentLength", "You must provide x-amz-decoded-content-length.");
        }
        yield* decodeChunks(exchange.body, declared, exchange.verified, trailers);
        return;
      case "stored":
        yield* exchange.body;
        return;
      case "refused":
        throw new S3Refusal("XAmzContentSHA256Mismatch");
    }
  }
  if (declared === UNSIGNED_PAYLOAD) {
    yield* exchange.body;
    return;
  }
  if (!/^[0-9a-f]{64}$/.test(declared)) {
    throw new S3Refusal(
      declared.startsWith("STREAMING-") ? "NotImplemented" : "InvalidArgument",
      "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a known STREAMING- value or a valid sha256 value.",
    );
  }
  const hash = createHash("sha256");
  for await (const chunk of exchange.body) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest("hex") !== declared) {
    throw new S3Refusal("XAmzContentSHA256Mismatch");
  }
}

function requireLength(exchange: Exchange, sizeBytes: number): void {
  const decoded = header(exchange, "x-amz-decoded-content-length");
  const framed = isStreamingPayload(header(exchange, "x-amz-content-sha256") ?? "");
  if (framed && exchange.settings.awsChunked === "decoded" && Number(decoded) !== sizeBytes) {
    throw new S3Refusal(
      "IncompleteBody",
      "You did not provide the number of bytes specified by x-amz-decoded-content-length",
    );
  }
}

/** Refuses, before the body is read, what could not be stored. */
export function requireDeclaredLength(exchange: Exchange): void {
  const framed = isStreamingPayload(header(exchange, "x-amz-content-sha256") ?? "");
  if (header(exchange, "content-length") === undefined && !framed) {
    throw new S3Refusal("MissingContentLength", "You must provide the Content-Length HTTP header.");
  }
}

function requireContentMd5(exchange: Exchange, md5: Buffer): void {
  const claimed = header(exchange, "content-md5");
  if (claimed === undefined || exchange.settings.contentMd5 === "ignored") {
    return;
  }
  const bytes = Buffer.from(claimed, "base64");
  if (bytes.length !== 16 || bytes.toString("base64") !== claimed) {
    throw new S3Refusal("InvalidDigest");
  }
  if (!bytes.equals(md5)) {
    throw new S3Refusal("BadDigest", "The Content-MD5 you specified did not match what we received.");
  }
}

/** What the scripted faults do to bytes behind the back of every digest. */
async function spoil({ fault }: Exchange, piece: Piece): Promise<void> {
  if (fault?.kind === "flip-byte") {
    await flipByte([piece], fault.at);
  }
  if (fault?.kind === "truncate") {
    truncatePieces([piece], fault.bytes);
  }
}
