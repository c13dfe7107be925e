import type { S3StoreOptions } from "../client.ts";

/** A store on OBS of which nothing is asked over a network. */
export const BARE_OPTIONS: S3StoreOptions = {
  bucket: "b",
  prefix: "",
  profile: "obs",
  credentials: { kind: "huawei" },
  pathStyle: false,
  sse: undefined,
  kmsKeyId: undefined,
  storageClass: undefined,
  endpoint: undefined,
  region: undefined,
  partSizeBytes: 1024,
  partsInFlight: 2,
};
