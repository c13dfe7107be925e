import { copyOf } from "./export-file.ts";
import type { BodyDamage } from "./faults.ts";
import { platformError } from "./port-errors.ts";
import type { RunnerProcess } from "./runner-process.ts";
import type { Latency, SeededRandom } from "./seeded-random.ts";

/** What a download sends, once its damage is worked in. */
export interface BodyPlan {
  readonly bytes: Uint8Array;
  /** `Content-Length`. */
  readonly declaredBytes: number | undefined;
  /** What comes after the last byte. */
  readonly end: "close" | "stall" | "reset" | "crash";
  readonly extraMsPerChunk?: number;
}

/**
 * Works a fault into a body.
 *
 * @throws PlatformError `platform-disguised-error` for a web page.
 */
export function planBody(whole: Uint8Array, damage: BodyDamage | undefined): BodyPlan {
  const wholeBytes = whole.length;
  const declare = (declared: "whole" | "sent" | "none", sentBytes: number) =>
    declared === "none" ? undefined : declared === "whole" ? wholeBytes : sentBytes;
  switch (damage?.kind) {
    case undefined:
      return { bytes: whole, declaredBytes: wholeBytes, end: "close" };
    case "no-length":
      return { bytes: whole, declaredBytes: undefined, end: "close" };
    case "drip": {
      const { extraMsPerChunk } = damage;
      return { bytes: whole, declaredBytes: wholeBytes, end: "close", extraMsPerChunk };
    }
    case "short": {
      const bytes = whole.subarray(0, damage.keepBytes);
      return { bytes, declaredBytes: declare(damage.declared, bytes.length), end: "close" };
    }
    case "extra": {
      const bytes = new Uint8Array(wholeBytes + damage.extraBytes);
      bytes.set(whole);
      return { bytes, declaredBytes: declare(damage.declared, bytes.length), end: "close" };
    }
    case "flip": {
      const bytes = copyOf(whole);
      const flipped = bytes[damage.atByte];
      if (flipped === undefined) {
        throw new RangeError(`the body has no byte ${damage.atByte} to flip`);
      }
      bytes[damage.atByte] = flipped ^ 0x01;
      return { bytes, declaredBytes: wholeBytes, end: "close" };
    }
    case "replace":
      return { bytes: damage.bytes, declaredBytes: damage.bytes.length, end: "close" };
    case "html":
      throw platformError("platform-disguised-error", { httpStatus: 200 });
    case "stall":
    case "reset":
    case "crash":
      return { bytes: whole.subarray(0, damage.afterBytes), declaredBytes: wholeBytes, end: damage.kind };
  }
}

export interface SendBodyOptions {
  readonly exportTaskId: string;
  readonly runner: RunnerProcess;
  readonly random: SeededRandom;
  readonly chunkBytes: number;
  readonly chunkLatency: Latency;
  /** Aborted by the caller's signal and by `cancel()`; its reason is what the iteration throws. */
  readonly signal: AbortSignal;
  /** Told when the iteration ends, however it does. */
  readonly onClosed: () => void;
}

/** Sends a planned body in chunks, each in a buffer of its own. */
export async function* sendBody(plan: BodyPlan, options: SendBodyOptions): AsyncGenerator<Uint8Array> {
  const { chunkBytes, chunkLatency, random, runner, signal } = options;
  const { extraMsPerChunk = 0 } = plan;
  try {
    for (let at = 0; at < plan.bytes.length; at += chunkBytes) {
      await runner.pass(random.latencyMs(chunkLatency) + extraMsPerChunk, signal);
      yield copyOf(plan.bytes, at, at + chunkBytes);
    }
    await runner.pass(random.latencyMs(chunkLatency), signal);
    switch (plan.end) {
      case "close":
        return;
      case "stall":
        return await runner.untilAborted(signal);
      case "reset":
        throw platformError("platform-unreachable");
      case "crash":
        runner.freeze("platform.body", options.exportTaskId);
        await runner.pass(0, undefined);
    }
  } finally {
    options.onClosed();
  }
}
