import type { RetentionConfiguration } from "./configuration.ts";
import type { PartReader } from "./part-reader.ts";

/** Reads the part of retention; `undefined` when the problems noted leave none. */
export function readRetention(reader: PartReader): RetentionConfiguration | undefined {
  const policy = reader.required("ARCHIVER_RETENTION_POLICY");
  const maxRemovals = reader.values.ARCHIVER_EXPIRE_MAX_REMOVALS;
  return policy === undefined || maxRemovals === undefined ? undefined : { policy, maxRemovals };
}
