import { Readable } from "node:stream";
import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import { bodyOf } from "./reading.ts";

const { signal } = new AbortController();

/** An answer as the SDK hands it out. */
function answerOf(body: string, facts: { status: number; announcedBytes?: number }): GetObjectCommandOutput {
  const Body = Readable.from([Buffer.from(body)]) as unknown as NonNullable<GetObjectCommandOutput["Body"]>;
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
