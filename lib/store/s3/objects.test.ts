import { Readable } from "node:stream";
import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { BODY_IDLE_MS, bodyOf } from "./objects.ts";

const { signal } = new AbortController();

/** An answer as the SDK hands it out. */
function answerOf(
  body: string | Readable,
  facts: { status: number; announcedBytes?: number },
): GetObjectCommandOutput {
  const stream = typeof body === "string" ? Readable.from([Buffer.from(body)]) : body;
  const Body = stream as unknown as NonNullable<GetObjectCommandOutput["Body"]>;
  return {
    Body,
    ...(facts.announcedBytes === undefined ? {} : { ContentLength: facts.announcedBytes }),
    $metadata: { httpStatusCode: facts.status },
  };
}

async function textOf(answer: GetObjectCommandOutput, isRanged: boolean): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bodyOf(answer, { key: "x", isRanged }, signal)) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

describe("the body of an answer", () => {
  test("is given as it is when it is what was asked for", async () => {
    expect(await textOf(answerOf("abc", { status: 200, announcedBytes: 3 }), false)).toBe("abc");
    expect(await textOf(answerOf("abc", { status: 206, announcedBytes: 3 }), true)).toBe("abc");
  });

  test.each([
    [{ status: 200, announcedBytes: 3 }, true, "store-foreign-answer"],
    [{ status: 200 }, false, "store-foreign-answer"],
    [{ status: 200, announcedBytes: 4 }, false, "store-unavailable"],
    [{ status: 200, announcedBytes: 2 }, false, "store-unavailable"],
  ])("%j, asked for a range: %s, is refused with %s", async (facts, isRanged, code) => {
    await expect(textOf(answerOf("abc", facts), isRanged)).rejects.toMatchObject({ code });
  });
});

describe("a body in time", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function begin() {
    const stream = new Readable({ read: () => undefined });
    stream.push(Buffer.from("ab"));
    const answer = answerOf(stream, { status: 200, announcedBytes: 3 });
    return { stream, chunks: bodyOf(answer, { key: "x", isRanged: false }, signal) };
  }

  test("that falls silent is given up", async () => {
    const { stream, chunks } = begin();
    await chunks.next();
    const next = chunks.next();
    const ending = expect(next).rejects.toMatchObject({ code: "store-unavailable", retry: "later" });
    await vi.advanceTimersByTimeAsync(BODY_IDLE_MS - 1);
    expect(stream.destroyed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(stream.destroyed).toBe(true);
    await ending;
  });

  test("that goes on before the limit, each time, and a reader that takes its time, are not", async () => {
    const { stream, chunks } = begin();
    await chunks.next();
    await vi.advanceTimersByTimeAsync(2 * BODY_IDLE_MS);
    const next = chunks.next();
    await vi.advanceTimersByTimeAsync(BODY_IDLE_MS - 1);
    stream.push(Buffer.from("c"));
    expect((await next).value).toEqual(Buffer.from("c"));
    const end = chunks.next();
    await vi.advanceTimersByTimeAsync(BODY_IDLE_MS - 1);
    stream.push(null);
    expect((await end).done).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});
