import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { Bytes } from "../kit/answer.ts";
import { S3Refusal } from "./errors.ts";

/** Up to this a body stays in memory. */
const MEMORY_LIMIT_BYTES = 256 * 1024;
const READ_BYTES = 256 * 1024;

/** The bytes of one request body: in memory, in a file, or given up but for their number. */
export type Piece =
  | { readonly kind: "memory"; bytes: Buffer; sizeBytes: number }
  | { readonly kind: "file"; readonly path: string; sizeBytes: number }
  | { readonly kind: "hashed"; sizeBytes: number };

/** Takes a body in; end it with `finish` or `discard`. */
export class PieceWriter {
  readonly #path: string;
  readonly #keepLarge: boolean;
  #chunks: Buffer[] = [];
  #sizeBytes = 0;
  #file: FileHandle | undefined;

  constructor(path: string, keepLarge: boolean) {
    this.#path = path;
    this.#keepLarge = keepLarge;
  }

  async write(chunk: Buffer): Promise<void> {
    this.#sizeBytes += chunk.length;
    if (this.#sizeBytes <= MEMORY_LIMIT_BYTES) {
      this.#chunks.push(chunk);
      return;
    }
    if (this.#keepLarge) {
      this.#file ??= await open(this.#path, "wx");
      await this.#file.writev([...this.#chunks, chunk]);
    }
    this.#chunks = [];
  }

  async finish(): Promise<Piece> {
    const sizeBytes = this.#sizeBytes;
    if (this.#file !== undefined) {
      await this.#file.close();
      return { kind: "file", path: this.#path, sizeBytes };
    }
    return sizeBytes > MEMORY_LIMIT_BYTES
      ? { kind: "hashed", sizeBytes }
      : { kind: "memory", bytes: Buffer.concat(this.#chunks), sizeBytes };
  }

  async discard(): Promise<void> {
    await this.#file?.close();
    rmSync(this.#path, { force: true });
  }
}

/** Where bodies too large for memory lie. */
export class PieceFolder {
  readonly #folder: string;
  #made = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  writer(keepLarge: boolean): PieceWriter {
    this.#made += 1;
    return new PieceWriter(join(this.#folder, `body-${this.#made}`), keepLarge);
  }
}

/** Frees the file behind a piece that nothing refers to any more. A reader that has it open goes on. */
export function dropPiece(piece: Piece): void {
  if (piece.kind === "file") {
    rmSync(piece.path, { force: true });
  }
}

export function sizeOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** The bytes `[start, end)` of pieces one after the other. */
export async function* readPieces(pieces: readonly Piece[], start: number, end: number): Bytes {
  let offset = 0;
  for (const piece of pieces) {
    const from = Math.max(0, start - offset);
    const to = Math.min(piece.sizeBytes, end - offset);
    if (from < to) {
      yield* readPiece(piece, from, to);
    }
    offset += piece.sizeBytes;
  }
}

/** @throws S3Refusal when only the digests were kept. */
export function requireReadable(pieces: readonly Piece[]): void {
  if (pieces.some(({ kind }) => kind === "hashed")) {
    throw new S3Refusal("NotImplemented", "This stand-in keeps only the digests of large bodies.");
  }
}

async function* readPiece(piece: Piece, from: number, to: number): Bytes {
  switch (piece.kind) {
    case "memory":
      yield piece.bytes.subarray(from, to);
      return;
    case "file": {
      const file = await open(piece.path, "r");
      try {
        let at = from;
        while (at < to) {
          const chunk = Buffer.allocUnsafe(Math.min(READ_BYTES, to - at));
          const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
          if (bytesRead === 0) {
            throw new Error("the file of a stored body is shorter than the body");
          }
          yield chunk.subarray(0, bytesRead);
          at += bytesRead;
        }
      } finally {
        await file.close();
      }
      return;
    }
    case "hashed":
      requireReadable([piece]);
  }
}

/** Inverts one byte of what is stored. @returns whether there is such a byte. */
export async function flipByte(pieces: readonly Piece[], at: number): Promise<boolean> {
  let offset = at;
  for (const piece of pieces) {
    if (offset < piece.sizeBytes && piece.kind !== "hashed") {
      for await (const byte of readPiece(piece, offset, offset + 1)) {
        overwrite(piece, offset, Buffer.of((byte[0] ?? 0) ^ 0xff));
      }
      return true;
    }
    offset -= piece.sizeBytes;
    if (offset < 0) {
      return false;
    }
  }
  return false;
}

function overwrite(piece: Exclude<Piece, { kind: "hashed" }>, at: number, bytes: Buffer): void {
  if (piece.kind === "memory") {
    piece.bytes = Buffer.concat([
      piece.bytes.subarray(0, at),
      bytes,
      piece.bytes.subarray(at + bytes.length),
    ]);
    return;
  }
  const file = openSync(piece.path, "r+");
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

/** Forgets everything from `sizeBytes` on, and tells no reader. */
export function truncatePieces(pieces: readonly Piece[], sizeBytes: number): void {
  let left = sizeBytes;
  for (const piece of pieces) {
    // Reading never goes beyond `sizeBytes` of a piece, so the bytes behind it may stay where they are.
    piece.sizeBytes = Math.min(piece.sizeBytes, left);
    left -= piece.sizeBytes;
  }
}
