import * as v from "valibot";
import { type Answer, jsonAnswer } from "../kit/answer.ts";
import { type Control, commonActions } from "../kit/control.ts";
import { flipByte, readPieces, sizeOf, truncatePieces } from "./content.ts";
import {
  CONTROL_PREFIX,
  interferenceSchema,
  type S3Interference,
  type S3ObjectView,
  type S3StateView,
  type S3UploadView,
} from "./control-protocol.ts";
import { faultRuleSchema } from "./faults.ts";
import type { Bucket } from "./model.ts";
import { settingsPatchSchema } from "./settings.ts";
import type { S3Store } from "./store.ts";

export function controlOf(store: S3Store): Control {
  return {
    prefix: CONTROL_PREFIX,
    refusal: (status, _code, error) => jsonAnswer(status, { error }),
    actions: {
      ...commonActions({
        faultRuleSchema,
        addFaults: (rules) => store.faults.push(...rules.map((rule) => ({ rule, met: 0 }))),
        clearFaults: () => {
          store.faults = [];
        },
        settingsPatchSchema,
        changeSettings: (patch) => store.changeSettings(patch),
        log: store.log,
        state: () => stateView(store),
      }),
      "DELETE requests": () => {
        store.log.clear();
        return jsonAnswer(200, {});
      },
      "GET content": ({ query }) =>
        contentAnswer(store, query.get("bucket") ?? undefined, query.get("key") ?? ""),
      "POST interference": async ({ input }) =>
        jsonAnswer(200, { done: await interfere(store, v.parse(interferenceSchema, input)) }),
    },
  };
}

/** Without a name the first bucket of the settings. */
function bucketOf(store: S3Store, name: string | undefined): Bucket {
  return store.bucket(name ?? store.settings.buckets[0]?.name ?? "");
}

function contentAnswer(store: S3Store, bucket: string | undefined, key: string): Answer {
  const current = bucketOf(store, bucket).find(key);
  if (current === undefined || current.pieces.some(({ kind }) => kind === "hashed")) {
    return jsonAnswer(404, { error: "there is no such object, or only its digests were kept" });
  }
  const sizeBytes = sizeOf(current.pieces);
  const body = readPieces(current.pieces, 0, sizeBytes);
  return { status: 200, headers: {}, body, sizeBytes, framing: "length", ending: "whole" };
}

/** @returns whether there was something to do it to. */
async function interfere(store: S3Store, what: S3Interference): Promise<boolean> {
  const bucket = bucketOf(store, what.bucket);
  const current = bucket.find(what.key);
  const uploads = [...bucket.uploads.values()].filter(({ key }) => key === what.key);
  switch (what.kind) {
    case "flip-byte":
      return current !== undefined && (await flipByte(current.pieces, what.at));
    case "truncate":
      truncatePieces(current?.pieces ?? [], what.bytes);
      return current !== undefined;
    case "remove":
      bucket.remove(what.key, current?.versionId ?? "");
      return current !== undefined;
    case "age":
      for (const upload of uploads) {
        upload.initiatedAtMs -= what.byMs;
      }
      if (current !== undefined) {
        current.modifiedAtMs -= what.byMs;
      }
      return current !== undefined || uploads.length > 0;
    case "abort-uploads":
      for (const { uploadId } of uploads) {
        bucket.closeUpload(uploadId);
      }
      return uploads.length > 0;
  }
}

function stateView(store: S3Store): S3StateView {
  const buckets = store.settings.buckets.map(({ name }) => [name, store.bucket(name)] as const);
  return {
    objects: buckets.flatMap(([name, bucket]) => objectViews(name, bucket)),
    openUploads: buckets.flatMap(([name, bucket]) => uploadViews(name, bucket)),
    faults: store.faults,
  };
}

function objectViews(bucket: string, contents: Bucket): S3ObjectView[] {
  return contents.all().map((version) => {
    const { key, versionId, modifiedAtMs } = version;
    if (version.kind === "delete-marker") {
      const nothing = { sizeBytes: 0, etag: "", headers: {}, storageClass: "STANDARD" };
      return { bucket, key, versionId, deleteMarker: true, modifiedAtMs, ...nothing };
    }
    const { attributes, checksum, etag, pieces, retention } = version;
    return {
      ...{ bucket, key, versionId, deleteMarker: false, sizeBytes: sizeOf(pieces), etag, modifiedAtMs },
      ...(checksum && { checksum }),
      headers: attributes.headers,
      storageClass: attributes.storageClass,
      ...(retention && { retention }),
    };
  });
}

function uploadViews(bucket: string, contents: Bucket): S3UploadView[] {
  return [...contents.uploads.values()].map(({ key, uploadId, initiatedAtMs, parts }) => {
    return { bucket, key, uploadId, initiatedAtMs, partNumbers: [...parts.keys()].sort((a, b) => a - b) };
  });
}
