import { createHash } from "node:crypto";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { ANSWER_LIMIT_PLACE, answerLimit } from "../../network/answer-limit.ts";
import type { ProxySettings } from "../../network/proxy-rules.ts";
import { tunnelAgents } from "../../network/tunnel-agents.ts";
import type { Clock, Random } from "../../ports/clock.ts";
import { StoreError } from "../../ports/object-store.ts";
import { MISCONFIGURED } from "../store-errors.ts";
import { S3_PROFILES, type S3Profile } from "./profiles.ts";

/** Where the store is and how to talk to it; the configuration's part for an `s3://` store fits. */
export interface S3StoreOptions {
  readonly bucket: string;
  /** Without a slash at either end; empty for the whole bucket. */
  readonly prefix: string;
  readonly profile: S3Profile["name"];
  /** `aws`: the SDK's default chain. `huawei`: {@link S3StoreParts.huaweiCredentials}. */
  readonly credentials: { readonly kind: "aws" | "huawei" };
  readonly pathStyle: boolean;
  /** As `x-amz-server-side-encryption` takes it, e.g. `AES256` or `aws:kms`. */
  readonly sse: string | undefined;
  readonly kmsKeyId: string | undefined;
  /** For objects below `exports/` only: records and state are read all the time. */
  readonly storageClass: string | undefined;
  readonly endpoint: URL | undefined;
  readonly region: string | undefined;
  readonly partSizeBytes: number;
  readonly partsInFlight: number;
}

interface HuaweiCredentials {
  readonly ak: string;
  readonly sk: string;
  readonly securityToken?: string;
}

export interface S3StoreParts {
  readonly clock: Clock;
  readonly random: Random;
  /**
   * Asked for each request, so that it is signed with the keys of its moment; required with `huawei` credentials.
   *
   * @param refresh those given last were refused.
   */
  readonly huaweiCredentials?: (refresh: boolean) => Promise<HuaweiCredentials>;
  /** May hold passwords: here and not among the options, which are shown. */
  readonly proxy?: ProxySettings;
}

const CONNECTION_TIMEOUT_MS = 5_000;
/** Twice a list of 1,000 keys that have 1,024 bytes each, all of them written as `%XX`. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
/** What gives the bytes of objects, however many they are. */
const STREAMED: ReadonlySet<string> = new Set(["GetObjectCommand"]);
/** The SDK keeps credentials without an end for ever, and those whose end is near for one request alone. */
const OVER_AT_ONCE = new Date(0);
const OBS_HOST = /(?:^|\.)obs\.([a-z0-9-]+)\.myhuaweicloud\.(?:com|eu)$/;

/**
 * The payload hash that is signed, with every store. Hashing 5 MiB twice costs more than sending it; TLS and
 * the digest of the profile, a signed header, cover the body. OBS documents this mode, and none with a hex
 * SHA-256 (iotda-api §5.2).
 */
const PAYLOAD_HASH = "UNSIGNED-PAYLOAD";
/**
 * When the SDK may add checksums on its own, with every store; Huawei's own advice. Otherwise streams are
 * framed as aws-chunked with a trailer, which gives XAmzContentSHA256Mismatch or is stored inside the object
 * (iotda-api §5.2), and the default CRC32 breaks R2, OSS, COS and OCI.
 */
const SDK_CHECKSUMS = "WHEN_REQUIRED";

/** Makes the SDK's client, with everything off that works behind the adapter's back. Sends nothing. */
export function makeS3Client(options: S3StoreOptions, parts: S3StoreParts): S3Client {
  const profile = S3_PROFILES[options.profile];
  // The host first: Lambda sets AWS_REGION to its own region, which OBS knows nothing of.
  const region = regionOf(options.endpoint) ?? options.region ?? profile.defaultRegion;
  const client = new S3Client({
    ...(region === undefined ? {} : { region }),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint.href }),
    ...(options.credentials.kind === "huawei" ? { credentials: huaweiProvider(parts) } : {}),
    forcePathStyle: options.pathStyle,
    // Retried by S3Bucket, which knows the buffer a part comes from and what a lost answer may have done.
    maxAttempts: 1,
    // Signatures have this machine's time, which is compared with the store's before a run: the SDK would take over
    // that of any answer, a proxy's included, and a wrong clock would pass.
    disableClockSkewCorrection: true,
    requestChecksumCalculation: SDK_CHECKSUMS,
    responseChecksumValidation: SDK_CHECKSUMS,
    // The SDK opens a connection of its own for each body it announces with Expect.
    expectContinueHeader: false,
    requestHandler: {
      ...tunnelAgents(parts.proxy ?? {}),
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      // None (left out, the SDK may have one of its own): each attempt and each body read has its limit, and a
      // store that joins parts is silent for as long as that takes (COMPLETION_TIMEOUT_MS).
      socketTimeout: 0,
      // Without it the SDK's limits of time only warn.
      throwOnRequestTimeout: true,
    },
  });
  setBodyHeaders(client, profile);
  client.middlewareStack.add(answerLimit(MAX_ANSWER_BYTES, STREAMED), ANSWER_LIMIT_PLACE);
  return client;
}

/** OBS signs with the region in its host name; the archiver's users should not have to say it twice. */
function regionOf(endpoint: URL | undefined): string | undefined {
  return endpoint === undefined ? undefined : OBS_HOST.exec(endpoint.hostname)?.[1];
}

function huaweiProvider({ huaweiCredentials }: S3StoreParts): NonNullable<S3ClientConfig["credentials"]> {
  if (huaweiCredentials === undefined) {
    throw new StoreError({
      ...MISCONFIGURED,
      problem: "the store has no Huawei access key",
      hint: "Set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, or ARCHIVER_STORE_CREDENTIALS=aws.",
    });
  }
  return async () => {
    const { ak, sk, securityToken } = await huaweiCredentials(false);
    return {
      accessKeyId: ak,
      secretAccessKey: sk,
      ...(securityToken === undefined ? {} : { sessionToken: securityToken }),
      expiration: OVER_AT_ONCE,
    };
  };
}

const UPLOADS: ReadonlySet<string | undefined> = new Set(["PutObjectCommand", "UploadPartCommand"]);
const XML_BODIES: ReadonlySet<string | undefined> = new Set([
  "PutObjectRetentionCommand",
  "PutObjectTaggingCommand",
]);

/**
 * The signer takes a payload hash that the request already names instead of hashing the body. S3 demands a digest over
 * small XML bodies: where the store knows Content-MD5 only, it gets that instead of the SDK's.
 */
function setBodyHeaders(client: S3Client, { bodyDigest }: S3Profile): void {
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const { request } = args;
        if (UPLOADS.has(commandName) && hasHeaders(request)) {
          request.headers["x-amz-content-sha256"] = PAYLOAD_HASH;
        }
        if (XML_BODIES.has(commandName) && bodyDigest === "content-md5" && hasHeaders(request)) {
          for (const name of Object.keys(request.headers)) {
            if (/^x-amz-(?:sdk-)?checksum-/i.test(name)) {
              delete request.headers[name];
            }
          }
          request.headers["content-md5"] = createHash("md5").update(request.body).digest("base64");
        }
        return await next(args);
      },
    { step: "build", priority: "low", name: "archiverBodyHeaders" },
  );
}

function hasHeaders(
  request: unknown,
): request is { headers: Record<string, string>; body: string | Uint8Array } {
  return typeof request === "object" && request !== null && "headers" in request && "body" in request;
}
