import * as v from "valibot";
import type { StoreLocation } from "../config/value-schemas.ts";
import { ArchiverError } from "../domain/errors.ts";
import type { PlatformScope } from "../domain/export-task.ts";
import { parseExportObjectKey } from "../domain/key-layout.ts";

/** What an event asks the retain function for. */
export type RetainWish =
  | { readonly kind: "sweep" }
  /** An export appeared; the key is below the store's prefix. */
  | { readonly kind: "object"; readonly key: string }
  /** An object of the same bucket that is not an export of this deployment. */
  | { readonly kind: "other-object"; readonly key: string };

/** EventBridge gives keys as they are; S3's own notifications, which we do not take, encode them. */
const objectCreatedSchema = v.object({
  source: v.literal("aws.s3"),
  "detail-type": v.literal("Object Created"),
  detail: v.object({
    bucket: v.object({ name: v.string() }),
    object: v.object({ key: v.pipe(v.string(), v.minLength(1), v.maxLength(1024)) }),
  }),
});

const nothing = v.optional(v.undefined_());
/** What timers send: no input, one of the operator's, or the scheduler's own envelope. */
const timerSchema = v.nullish(
  v.union([
    v.object({ "detail-type": v.literal("Scheduled Event") }),
    v.object({ "detail-type": nothing, detail: nothing, Records: nothing }),
  ]),
);

/**
 * Reads an event of the retain function.
 *
 * @throws ArchiverError `unknown-event` for one that comes from somewhere else; no store is asked about it.
 */
export function retainWishOf(event: unknown, store: StoreLocation, scope: PlatformScope): RetainWish {
  if (!Array.isArray(event) && v.is(timerSchema, event)) {
    return { kind: "sweep" };
  }
  const parsed = v.safeParse(objectCreatedSchema, event);
  if (!parsed.success) {
    throw unknownEvent("the event is neither a timer's nor an Object Created of S3 through EventBridge");
  }
  const { bucket, object } = parsed.output.detail;
  if (store.kind !== "s3" || store.bucket !== bucket.name) {
    throw unknownEvent(
      `the event is about the bucket ${bucket.name.slice(0, 63)}, which is not the archive's`,
    );
  }
  const prefix = store.prefix === "" ? "" : `${store.prefix}/`;
  const key = object.key.slice(prefix.length);
  const isExport = object.key.startsWith(prefix) && parseExportObjectKey(key, scope) !== undefined;
  return isExport ? { kind: "object", key } : { kind: "other-object", key: object.key };
}

function unknownEvent(problem: string): ArchiverError {
  return new ArchiverError("unknown-event", problem, {
    scope: "system",
    retry: "never",
    hint: "Start retain by a timer, and by an EventBridge rule on Object Created events of the archive's bucket only.",
  });
}
