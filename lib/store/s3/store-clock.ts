import { HeadObjectCommand } from "@aws-sdk/client-s3";
import * as v from "valibot";
import type { S3Bucket } from "./bucket.ts";
import { notS3Error, toS3Error } from "./s3-error.ts";

const SECOND_MS = 1_000;
/** Half of this, and half an answer's way, is the error that is left. */
const PROBE_SPACING_MS = 60;
/** A turn comes within a second: more requests than this fit in none. */
const MAX_PROBES = 20;

/** What one answer says: bounds on what to add to monotonic time to have the store's. */
interface OffsetBounds {
  readonly dateMs: number;
  readonly leastMs: number;
  readonly mostMs: number;
}

/**
 * The store's clock at the moment of return, epoch milliseconds. `Date` has whole seconds only: requests are
 * sent until it turns, which narrows the moment down to their spacing (architecture §5).
 *
 * @param key any key; whether there is an object makes no difference.
 * @throws S3Error, the signal's reason.
 */
export async function readStoreClockMs(bucket: S3Bucket, key: string, signal: AbortSignal): Promise<number> {
  const { clock } = bucket;
  const first = await probe(bucket, key, signal);
  let bounds = first;
  for (let count = 1; count < MAX_PROBES && bounds.dateMs === first.dateMs; count += 1) {
    await clock.sleep(PROBE_SPACING_MS, signal);
    const next = await probe(bucket, key, signal);
    const leastMs = Math.max(bounds.leastMs, next.leastMs);
    const mostMs = Math.min(bounds.mostMs, next.mostMs);
    // Two front ends whose clocks differ: the later answer counts.
    bounds = leastMs <= mostMs ? { ...next, leastMs, mostMs } : next;
  }
  return clock.monotonicMs() + (bounds.leastMs + bounds.mostMs) / 2;
}

async function probe(bucket: S3Bucket, key: string, signal: AbortSignal): Promise<OffsetBounds> {
  const { clock } = bucket;
  const request = { operation: "HeadObject", subject: key, signal };
  return await bucket.call(request, async (http) => {
    const command = new HeadObjectCommand(bucket.object(key));
    const date = watchDate(command);
    const sentMs = clock.monotonicMs();
    try {
      await bucket.client.send(command, http);
    } catch (thrown) {
      // A refusal tells the time as well as a success; only an answer that may come from elsewhere does not.
      const status = toS3Error(thrown, request)?.httpStatus;
      if (status === undefined || status >= 500) {
        throw thrown;
      }
    }
    const receivedMs = clock.monotonicMs();
    const dateMs = date();
    if (dateMs === undefined) {
      throw notS3Error(request);
    }
    return { dateMs, leastMs: dateMs - receivedMs, mostMs: dateMs + SECOND_MS - sentMs };
  });
}

const answerSchema = v.object({
  headers: v.object({
    date: v.pipe(
      v.string(),
      v.transform((text) => Date.parse(text)),
      v.finite(),
    ),
  }),
});

/** The SDK shows no header of an answer but those it models: this reads `Date` below its parser. */
function watchDate(command: HeadObjectCommand): () => number | undefined {
  let dateMs: number | undefined;
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const parsed = v.safeParse(answerSchema, result.response);
      dateMs = parsed.success ? parsed.output.headers.date : undefined;
      return result;
    },
    { step: "deserialize", priority: "low", name: "archiverDate" },
  );
  return () => dateMs;
}
