import { describe, expect, test } from "vitest";
import { ManualClock, realRandom } from "../../../test/contract/clocks.ts";
import type { Random } from "../../ports/clock.ts";
import { S3Bucket } from "./bucket.ts";
import { makeS3Client, type S3StoreParts } from "./client.ts";
import { notS3Error, S3Error } from "./s3-error.ts";
import { BARE_OPTIONS } from "./testing/options.ts";

const { signal } = new AbortController();
const REQUEST = { operation: "PutObject", subject: "exports/x.zip", signal };
const LONGEST: Random = { ...realRandom, fraction: () => 1 };

/** A bucket of which no request is sent over a network. */
function bucketOf(
  clock = new ManualClock(),
  huaweiCredentials: S3StoreParts["huaweiCredentials"] = async () => ({ ak: "ak", sk: "sk" }),
): S3Bucket {
  const parts = { clock, random: LONGEST, huaweiCredentials };
  const options = { ...BARE_OPTIONS, region: "any" };
  return new S3Bucket(makeS3Client(options, parts), options, parts);
}

/** As the SDK throws an answer of the store. */
function answer(status: number, code: string, headers: Record<string, string> = {}): Error {
  const facts = {
    $fault: "server",
    $metadata: { httpStatusCode: status },
    $response: { statusCode: status, headers },
  };
  return Object.assign(new Error("quotes AKIDSECRET"), { name: code }, facts);
}

function failingFirst(failures: readonly unknown[]): () => Promise<string> {
  const left = [...failures];
  return async () => {
    if (left.length > 0) {
      throw left.shift();
    }
    return "done";
  };
}

describe("a call", () => {
  test("is tried again after what passes, with growing full jitter", async () => {
    const clock = new ManualClock();
    const startedMs = clock.monotonicMs();
    const reset = Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
    const send = failingFirst([reset, answer(500, "InternalError"), answer(400, "RequestTimeout")]);
    expect(await bucketOf(clock).call(REQUEST, send)).toBe("done");
    expect(clock.monotonicMs() - startedMs).toBe(100 + 200 + 400);
  });

  test("waits longer when asked to slow down, and as long as Retry-After says, within reason", async () => {
    for (const [retryAfter, waitedMs] of [
      [undefined, 500],
      ["3", 3_000],
      ["9999", 20_000],
      ["soon", 500],
    ] as const) {
      const clock = new ManualClock();
      const startedMs = clock.monotonicMs();
      const headers = retryAfter === undefined ? {} : { "retry-after": retryAfter };
      const send = failingFirst([answer(503, "SlowDown", headers)]);
      await bucketOf(clock).call(REQUEST, send);
      expect(clock.monotonicMs() - startedMs).toBe(waitedMs);
    }
  });

  test("ends after a bounded number of attempts with the last failure, which quotes nothing", async () => {
    let attempts = 0;
    const send = async () => {
      attempts += 1;
      throw answer(503, "SlowDown");
    };
    const call = bucketOf().call(REQUEST, send);
    const thrown: unknown = await call.catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(S3Error);
    expect(thrown).toMatchObject({
      code: "store-unavailable",
      scope: "task",
      retry: "later",
      httpStatus: 503,
    });
    expect(String(thrown)).not.toContain("SECRET");
    expect(thrown).not.toHaveProperty("cause");
    expect(attempts).toBe(5);
  });

  test.each([
    [answer(403, "AccessDenied"), "store-forbidden"],
    [answer(403, "SomethingNew"), "store-forbidden"],
    [answer(400, "SomethingNew"), "store-forbidden"],
    [answer(404, "NoSuchBucket"), "store-missing"],
    [answer(501, "NotImplemented"), "store-misconfigured"],
    [answer(507, "SomethingNew"), "store-full"],
    [answer(412, "PreconditionFailed"), "store-key-taken"],
    [Object.assign(new Error("x"), { code: "CERT_HAS_EXPIRED" }), "store-misconfigured"],
    [Object.assign(new Error("x"), { name: "CredentialsProviderError" }), "store-unauthenticated"],
    [answer(403, "AccountProblem"), "store-forbidden"],
    [answer(403, "VirtualHostDomainRequired"), "store-misconfigured"],
  ])("is not tried again after %s", async (failure, code) => {
    const bucket = bucketOf();
    await expect(bucket.call(REQUEST, failingFirst([failure]))).rejects.toMatchObject({ code });
  });

  test("a certificate that does not hold is said, with what helps against it", async () => {
    const hintOf = async (code: string) => {
      const bucket = bucketOf();
      const call = bucket.call(REQUEST, failingFirst([Object.assign(new Error("x"), { code })]));
      return await call.catch((error: unknown) => (error instanceof S3Error ? error.hint : error));
    };
    expect(await hintOf("SELF_SIGNED_CERT_IN_CHAIN")).toContain("export NODE_EXTRA_CA_CERTS");
    expect(await hintOf("CERT_HAS_EXPIRED")).not.toContain("NODE_EXTRA_CA_CERTS");
  });

  test("is signed again once when its time was refused, even where it has no attempt left; then the clock is blamed", async () => {
    const skewed = answer(403, "RequestTimeTooSkewed");
    const bucket = bucketOf();
    const request = { ...REQUEST, maxAttempts: 1 };
    expect(await bucket.call(request, failingFirst([skewed]))).toBe("done");
    await expect(bucket.call(request, failingFirst([skewed, skewed]))).rejects.toMatchObject({
      code: "store-misconfigured",
      scope: "system",
      hint: expect.stringContaining("clock"),
    });
    const between = failingFirst([skewed, answer(503, "SlowDown"), skewed]);
    await expect(bucket.call(REQUEST, between)).rejects.toMatchObject({
      code: "store-misconfigured",
    });
  });

  test("is signed again once after a refusal that has no code, as that of a HEAD", async () => {
    const bucket = bucketOf();
    const refused = answer(403, "Unknown");
    expect(await bucket.call(REQUEST, failingFirst([refused]))).toBe("done");
    await expect(bucket.call(REQUEST, failingFirst([refused, refused]))).rejects.toMatchObject({
      code: "store-forbidden",
      hint: expect.stringContaining("clock"),
    });
  });

  test.each([
    [400, "ExpiredToken"],
    [403, "InvalidAccessKeyId"],
    [401, "Unknown"],
  ])(
    "is sent once more with keys that are read again after %i %s, and then given up",
    async (status, code) => {
      const reads: boolean[] = [];
      const keys = async (refresh: boolean) => {
        reads.push(refresh);
        return { ak: "ak", sk: "sk" };
      };
      const bucket = bucketOf(new ManualClock(), keys);
      const refused = answer(status, code);
      expect(await bucket.call(REQUEST, failingFirst([refused]))).toBe("done");
      expect(reads).toEqual([true]);
      await expect(bucket.call(REQUEST, failingFirst([refused, refused]))).rejects.toMatchObject({
        code: "store-unauthenticated",
        scope: "system",
      });
      const denied = failingFirst([answer(403, "AccessDenied")]);
      await expect(bucket.call(REQUEST, denied)).rejects.toMatchObject({ code: "store-forbidden" });
      expect(reads).toEqual([true, true]);
    },
  );

  test("passes on what is not a failure of a store: a mistake in the program", async () => {
    const bucket = bucketOf();
    const mistake = new TypeError("x is not a function");
    await expect(bucket.call(REQUEST, failingFirst([mistake]))).rejects.toBe(mistake);
  });

  test("gives an attempt that hangs up, and tries again", async () => {
    let attempts = 0;
    const send = async ({ abortSignal }: { abortSignal: AbortSignal }) => {
      attempts += 1;
      return attempts > 1 ? "done" : await rejectsWhenAborted(abortSignal);
    };
    const bucket = bucketOf();
    expect(await bucket.call({ ...REQUEST, attemptTimeoutMs: 20 }, send)).toBe("done");
  });

  test("ends with the signal's reason, while it is sent and while it waits", async () => {
    const reason = new Error("time is up");
    const bucket = bucketOf();
    const whileSent = new AbortController();
    const sending = bucket.call({ ...REQUEST, signal: whileSent.signal }, async ({ abortSignal }) => {
      setImmediate(() => whileSent.abort(reason));
      return await rejectsWhenAborted(abortSignal);
    });
    await expect(sending).rejects.toBe(reason);
    const whileWaiting = new AbortController();
    const waiting = bucket.call({ ...REQUEST, signal: whileWaiting.signal }, async () => {
      queueMicrotask(() => whileWaiting.abort(reason));
      throw answer(500, "InternalError");
    });
    await expect(waiting).rejects.toBe(reason);
  });

  test("looks for an effect whose answer was lost before it has it again", async () => {
    const bucket = bucketOf();
    const outcome = { mayHaveHappened: false, findEffect: async () => "found" };
    const lost = Object.assign(new Error("x"), { code: "ECONNRESET" });
    expect(await bucket.call(REQUEST, failingFirst([lost]), outcome)).toBe("found");
    expect(outcome.mayHaveHappened).toBe(true);
    const unread = { mayHaveHappened: false, findEffect: async () => "found" };
    expect(await bucket.call(REQUEST, failingFirst([notS3Error(REQUEST)]), unread)).toBe("found");
    const refused = { mayHaveHappened: false, findEffect: async () => "found" };
    const told = failingFirst([answer(409, "ConditionalRequestConflict")]);
    expect(await bucket.call(REQUEST, told, refused)).toBe("done");
    expect(refused.mayHaveHappened).toBe(false);
  });
});

/** As the SDK's handler behaves. */
async function rejectsWhenAborted(abortSignal: AbortSignal): Promise<never> {
  return await new Promise((_resolve, reject) => {
    const abort = () => reject(Object.assign(new Error("Request aborted"), { name: "AbortError" }));
    abortSignal.addEventListener("abort", abort, { once: true });
  });
}
