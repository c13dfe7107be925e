// What faults do to a body on its way; both stand-ins play them.
import type { Bytes } from "./answer.ts";

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

export async function* flipped(body: Bytes, at: number): Bytes {
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

export async function* pausedAt(
  body: Bytes,
  at: number,
  forMs: number | undefined,
  gone: AbortSignal,
): Bytes {
  let left: number | undefined = at;
  for await (const chunk of body) {
    if (left === undefined || chunk.length < left) {
      yield chunk;
      left = left === undefined ? undefined : left - chunk.length;
    } else {
      yield chunk.subarray(0, left);
      await silence(forMs, gone);
      yield chunk.subarray(left);
      left = undefined;
    }
  }
}

export async function* dripped(
  body: Bytes,
  bytesPerSecond: number,
  aboutTickMs: number,
  gone: AbortSignal,
): Bytes {
  const tickBytes = Math.max(1, Math.round((bytesPerSecond * aboutTickMs) / 1000));
  const tickMs = (tickBytes * 1000) / bytesPerSecond;
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length; at += tickBytes) {
      await silence(tickMs, gone);
      yield chunk.subarray(at, at + tickBytes);
    }
  }
}
