import type * as v from "valibot";
import { type Answer, type Bytes, bufferAnswer, lostAnswer } from "./answer.ts";
import type { commonFaults } from "./faults.ts";

type CommonFault = v.InferOutput<(typeof commonFaults)[number]>;
type OneOf<Kind extends CommonFault["kind"]> = Extract<CommonFault, { readonly kind: Kind }>;

interface Stall {
  readonly kind: "stall";
  readonly afterBytes?: number | undefined;
  readonly releaseAfterMs?: number | undefined;
}

interface Slowness {
  readonly kind: "slow" | "slow-drip";
  readonly bytesPerSecond: number;
}

const ABOUT_TICK_MS = 20;
const HTML = Buffer.from(
  "<!DOCTYPE html>\n<html><head><title>Proxy</title></head><body>Please log in.</body></html>\n",
);

/**
 * What a common fault does before the operation has done anything.
 *
 * @param gone aborts when the client leaves, which ends a silence.
 * @returns the answer to give instead of the real one, or `undefined` to go on.
 */
export async function playInstead(
  fault: OneOf<"reset" | "html"> | Stall,
  gone: AbortSignal,
): Promise<Answer | undefined> {
  switch (fault.kind) {
    case "reset":
      return fault.afterBytes === undefined ? lostAnswer() : undefined;
    case "html":
      return bufferAnswer(fault.status, HTML, { "Content-Type": "text/html" });
    case "stall":
      if (fault.afterBytes === undefined) {
        await silence(fault.releaseAfterMs, gone);
      }
      return undefined;
  }
}

/** What a common fault does to the body of the real answer. */
export function playOnBody(
  answer: Answer,
  fault: OneOf<"reset" | "flip-byte" | "truncate"> | Stall | Slowness,
  gone: AbortSignal,
): Answer {
  const { body } = answer;
  switch (fault.kind) {
    case "reset":
      return { ...answer, body: firstBytes(body, fault.afterBytes ?? 0), ending: "reset" };
    case "flip-byte":
      return { ...answer, body: flipped(body, fault.at) };
    case "truncate": {
      const sizeBytes = Math.min(fault.bytes, answer.sizeBytes);
      return { ...answer, body: firstBytes(body, sizeBytes), sizeBytes };
    }
    case "stall":
      return { ...answer, body: pausedAt(body, fault, gone) };
    case "slow":
    case "slow-drip":
      return { ...answer, body: dripped(body, fault, gone) };
  }
}

/** Waits until the client leaves, or that long if a time is given. */
export async function silence(forMs: number | undefined, gone: AbortSignal): Promise<void> {
  if (gone.aborted) {
    return;
  }
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const timer = forMs === undefined ? undefined : setTimeout(resolve, forMs);
  gone.addEventListener("abort", resolve);
  await promise;
  gone.removeEventListener("abort", resolve);
  clearTimeout(timer);
}

export async function* firstBytes(body: Bytes, bytes: number): Bytes {
  let left = bytes;
  for await (const chunk of body) {
    if (chunk.length >= left) {
      yield chunk.subarray(0, left);
      return;
    }
    left -= chunk.length;
    yield chunk;
  }
}

async function* flipped(body: Bytes, at: number): Bytes {
  let offset = 0;
  for await (const chunk of body) {
    const index = at - offset;
    offset += chunk.length;
    const byte = chunk[index];
    if (byte === undefined) {
      yield chunk;
    } else {
      const copy = Buffer.from(chunk);
      copy[index] = byte ^ 0xff;
      yield copy;
    }
  }
}

/** Goes on whole where the fault names no place in the body. */
export async function* pausedAt(body: Bytes, fault: Stall, gone: AbortSignal): Bytes {
  let left = fault.afterBytes;
  for await (const chunk of body) {
    if (left === undefined || chunk.length < left) {
      yield chunk;
      left = left === undefined ? undefined : left - chunk.length;
    } else {
      yield chunk.subarray(0, left);
      await silence(fault.releaseAfterMs, gone);
      yield chunk.subarray(left);
      left = undefined;
    }
  }
}

export async function* dripped(body: Bytes, { bytesPerSecond }: Slowness, gone: AbortSignal): Bytes {
  const tickBytes = Math.max(1, Math.round((bytesPerSecond * ABOUT_TICK_MS) / 1000));
  const tickMs = (tickBytes * 1000) / bytesPerSecond;
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length; at += tickBytes) {
      await silence(tickMs, gone);
      yield chunk.subarray(at, at + tickBytes);
    }
  }
}
