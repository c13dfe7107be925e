import { type Answer, lostAnswer } from "../kit/answer.ts";
import { type RequestHead, splitOnce } from "../kit/signing.ts";
import type { S3RequestDetails } from "./control-protocol.ts";
import { errorAnswer, refusalAnswer, S3Refusal } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import { playBefore, playOnAnswer, playOnUpload, ScriptedReset } from "./fault-play.ts";
import type { S3Fault } from "./faults.ts";
import { handlers } from "./handlers.ts";
import { type S3Operation, type Target, targetOf } from "./routes.ts";
import { verifySignature } from "./signature.ts";
import type { S3Store } from "./store.ts";
import type { WireBody } from "./wire.ts";

/** A request on its way through the store. */
interface Incoming {
  readonly store: S3Store;
  readonly head: RequestHead;
  readonly wire: WireBody;
  /** When the head arrived, epoch milliseconds of the real clock. */
  readonly atMs: number;
  /** Aborts when the client leaves or the stand-in stops. */
  readonly gone: AbortSignal;
}

interface Decision {
  readonly answer: Answer;
  readonly fault: S3Fault | undefined;
}

/**
 * Logs a request and decides on its answer.
 *
 * @returns the request's number in the log, and the answer.
 */
export async function answerRequest(incoming: Incoming): Promise<{ n: number; answer: Answer }> {
  const { store, head, wire, atMs } = incoming;
  const resource = splitOnce(head.url, "?")[0];
  const target = orRefusal(() => targetOf(head.method, head.url, head.headers.get("host") ?? ""));
  const n = store.log.begin(atMs, detailsOf(head, target instanceof S3Refusal ? undefined : target));
  const { answer, fault } =
    target instanceof S3Refusal
      ? { answer: refusalAnswer(target, resource), fault: undefined }
      : await decide(incoming, target, resource);
  store.log.update(n, {
    ...wire.read,
    fault: fault?.kind,
    status: answer.status,
    code: answer.code,
  });
  const isBodiless = head.method === "HEAD" && answer.status >= 300;
  return { n, answer: isBodiless ? { ...answer, body: nothing(), sizeBytes: 0 } : answer };
}

async function decide(incoming: Incoming, target: Target, resource: string): Promise<Decision> {
  const { store, head, wire, gone } = incoming;
  let fault: S3Fault | undefined;
  try {
    const verified = verifySignature(head, store.settings, store.nowMs());
    const operation = requireOperation(target);
    const { key, query } = target;
    const partNumber = query.has("partNumber") ? Number(query.get("partNumber")) : undefined;
    fault = store.meetFaults({ operation, key: key === "" ? undefined : key, partNumber });
    const instead = fault && (await playBefore(fault, resource, gone));
    if (instead !== undefined) {
      return { answer: instead, fault };
    }
    const bucketSettings = store.settings.buckets.find(({ name }) => name === target.bucket);
    if (bucketSettings === undefined) {
      throw new S3Refusal("NoSuchBucket");
    }
    const body = fault ? playOnUpload(wire.bytes(), fault, gone) : wire.bytes();
    const exchange: Exchange = {
      ...{ head, query, verified, body, key, bucketSettings, fault },
      settings: store.settings,
      bucket: store.bucket(target.bucket),
      pieces: store.pieces,
      nowMs: store.nowMs(),
    };
    const answer = await handlers[operation](exchange);
    const spoiled = fault && (await playOnAnswer(answer, fault, resource, operation === "GetObject", gone));
    return { answer: spoiled ?? answer, fault };
  } catch (thrown) {
    if (thrown instanceof S3Refusal) {
      return { answer: refusalAnswer(thrown, resource), fault };
    }
    if (thrown instanceof ScriptedReset || gone.aborted) {
      return { answer: lostAnswer(), fault };
    }
    console.error("S3 stand-in: a request could not be handled", thrown);
    return { answer: errorAnswer(500, "InternalError", "The stand-in has a defect.", resource), fault };
  }
}

function requireOperation({ operation }: Target): S3Operation {
  if (operation === undefined) {
    throw new S3Refusal("NotImplemented", "This stand-in does not play the operation.");
  }
  return operation;
}

function orRefusal<T>(act: () => T): T | S3Refusal {
  try {
    return act();
  } catch (thrown) {
    if (thrown instanceof S3Refusal) {
      return thrown;
    }
    throw thrown;
  }
}

function detailsOf(head: RequestHead, target: Target | undefined): S3RequestDetails {
  const { headers, method, url } = head;
  const payload = headers.get("x-amz-content-sha256") ?? "";
  const encoding = headers.get("content-encoding") ?? "";
  return {
    operation: target?.operation ?? "unknown",
    method,
    url,
    ...(target && { bucket: target.bucket }),
    ...(target && target.key !== "" && { key: target.key }),
    query: Object.fromEntries(target?.query ?? []),
    headers: Object.fromEntries(headers),
    bodyBytes: 0,
    awsChunked: payload.startsWith("STREAMING-") || encoding.split(/ *, */).includes("aws-chunked"),
  };
}

async function* nothing(): AsyncGenerator<Buffer> {
  // A HEAD has no body, an error's neither.
}
