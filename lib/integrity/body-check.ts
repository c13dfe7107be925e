import { createHash } from "node:crypto";
import { formatOtherSize } from "../domain/format-bytes.ts";
import { findArchiveEnd } from "./archive-end.ts";
import { RollingTail, SmallBody } from "./body-memory.ts";
import { checkMembers } from "./members.ts";
import { END_RECORD_SIGNATURE, LOCAL_HEADER_SIGNATURE, TAIL_BYTES } from "./zip-format.ts";

/**
 * How far a body's ZIP was looked into: CRC-32 of every member, only that it closes, or not at all
 * (`verification.container` of the `archived` record, architecture §6.3).
 */
export type ContainerLevel = "members" | "structure" | "off";

interface BodyFacts {
  readonly sizeBytes: number;
  /** Lowercase hex over every byte. */
  readonly sha256: string;
}

/** What a body that has ended is worth. */
export type BodyVerdict =
  | ({ readonly kind: "whole"; readonly container: ContainerLevel } & BodyFacts)
  /** Cut off, empty, or not as long as announced: another download may give the rest. */
  | ({ readonly kind: "short"; readonly problem: string } & BodyFacts)
  /** Complete, and no ZIP that can be accepted: another download that gives the same ends the matter. */
  | ({ readonly kind: "not-accepted"; readonly problem: string } & BodyFacts);

export interface BodyCheckOptions {
  /** `any` switches the container check off. */
  readonly accept: "zip" | "any";
  /** Members are checked in bodies up to this size, which are held in memory for it. */
  readonly membersLimitBytes: number;
  /** What was announced. A body of another length is never whole, so only what such a length needs is held. */
  readonly contentLengthBytes: number | undefined;
}

export interface FinishOptions {
  readonly signal: AbortSignal;
}

type Judgement =
  | { readonly kind: "whole"; readonly container: ContainerLevel }
  | { readonly kind: "short" | "not-accepted"; readonly problem: string };

const HEAD_BYTES = 4;

/**
 * Sees every byte of a body once and then says whether it is whole (architecture §4 step 4). Holds the first 4 bytes, the
 * last 68 KiB and, up to `membersLimitBytes`, the body. No more than the announced length makes use of is copied.
 */
export class BodyCheck {
  readonly #hash = createHash("sha256");
  readonly #head = Buffer.alloc(HEAD_BYTES);
  readonly #container: { readonly tail: RollingTail; readonly body: SmallBody } | undefined;
  readonly #contentLengthBytes: number | undefined;
  /** Where the bytes begin that the tail may need. */
  readonly #tailStartsAt: number;
  #sizeBytes = 0;

  constructor({ accept, membersLimitBytes, contentLengthBytes }: BodyCheckOptions) {
    this.#contentLengthBytes = contentLengthBytes;
    this.#tailStartsAt = (contentLengthBytes ?? 0) - TAIL_BYTES;
    if (accept === "zip") {
      const heldBytes = (contentLengthBytes ?? 0) > membersLimitBytes ? 0 : membersLimitBytes;
      this.#container = { tail: new RollingTail(TAIL_BYTES), body: new SmallBody(heldBytes) };
    }
  }

  /** Bytes seen so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Takes in the next bytes; the chunk may be reused when it returns. Throws Node's error after {@link finish}. */
  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    if (this.#sizeBytes < HEAD_BYTES) {
      this.#head.set(chunk.subarray(0, HEAD_BYTES - this.#sizeBytes), this.#sizeBytes);
    }
    const beforeTailBytes = Math.min(chunk.length, Math.max(0, this.#tailStartsAt - this.#sizeBytes));
    this.#container?.tail.push(chunk.subarray(beforeTailBytes));
    this.#container?.body.push(chunk);
    this.#sizeBytes += chunk.length;
  }

  /** The verdict on everything seen. Call it once, when the body ended on its own. Throws the signal's reason. */
  async finish(options: FinishOptions): Promise<BodyVerdict> {
    options.signal.throwIfAborted();
    const facts: BodyFacts = { sizeBytes: this.#sizeBytes, sha256: this.#hash.digest("hex") };
    return { ...(await this.#judge(options)), ...facts };
  }

  async #judge({ signal }: FinishOptions): Promise<Judgement> {
    const sizeBytes = this.#sizeBytes;
    const contentLengthBytes = this.#contentLengthBytes;
    if (sizeBytes === 0) {
      return { kind: "short", problem: "the body is empty" };
    }
    if (contentLengthBytes !== undefined && contentLengthBytes !== sizeBytes) {
      return {
        kind: "short",
        problem: `the body has ${formatOtherSize(sizeBytes, contentLengthBytes)}, as Content-Length says`,
      };
    }
    if (this.#container === undefined) {
      return { kind: "whole", container: "off" };
    }
    const tail = this.#container.tail.bytes();
    return this.#judgeBeginning(tail) ?? (await this.#judgeArchive(tail, this.#container.body, signal));
  }

  /** A verdict on a body that does not begin with a local header. */
  #judgeBeginning(tail: Buffer): Judgement | undefined {
    const head = this.#head.subarray(0, this.#sizeBytes);
    const localHeader = Buffer.alloc(HEAD_BYTES);
    localHeader.writeUInt32LE(LOCAL_HEADER_SIGNATURE);
    if (head.equals(localHeader)) {
      return undefined;
    }
    if (head.equals(localHeader.subarray(0, head.length))) {
      return { kind: "short", problem: `the body ends after ${head.length} bytes` };
    }
    if (
      head.length === HEAD_BYTES &&
      head.readUInt32LE(0) === END_RECORD_SIGNATURE &&
      findArchiveEnd(tail, this.#sizeBytes).kind === "empty"
    ) {
      return { kind: "not-accepted", problem: "the archive is empty" };
    }
    return {
      kind: "not-accepted",
      problem: `the body begins with the bytes ${head.toString("hex")}, which are not those of a ZIP file`,
    };
  }

  async #judgeArchive(tail: Buffer, body: SmallBody, signal: AbortSignal): Promise<Judgement> {
    const end = findArchiveEnd(tail, this.#sizeBytes);
    switch (end.kind) {
      case "open":
        return { kind: "short", problem: "the body begins as a ZIP, but no end record closes it" };
      case "empty":
        return { kind: "not-accepted", problem: "the archive's directory lists no member" };
      case "multi-disk":
        return { kind: "not-accepted", problem: "the archive is one disk of several" };
      case "damaged":
        return { kind: "not-accepted", problem: `the archive is damaged: ${end.problem}` };
      case "closed":
        return body.isWhole
          ? judgeMembers(body, this.#sizeBytes, signal)
          : { kind: "whole", container: "structure" };
    }
  }
}

async function judgeMembers(body: SmallBody, sizeBytes: number, signal: AbortSignal): Promise<Judgement> {
  const verdict = await checkMembers(body, sizeBytes, { signal });
  switch (verdict.kind) {
    case "intact":
      return { kind: "whole", container: "members" };
    case "unchecked":
      return { kind: "whole", container: "structure" };
    case "damaged":
      return { kind: "not-accepted", problem: `the archive is damaged: ${verdict.problem}` };
  }
}
