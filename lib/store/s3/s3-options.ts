import type { ProxySettings } from "../../network/proxy-rules.ts";
import type { Clock, Random } from "../../ports/clock.ts";
import type { S3Profile } from "./profiles.ts";

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

export interface HuaweiCredentials {
  readonly ak: string;
  readonly sk: string;
  readonly securityToken?: string;
}

export interface S3StoreParts {
  readonly clock: Clock;
  readonly random: Random;
  /** Asked again every few minutes, so that renewed keys are used; required with `huawei` credentials. */
  readonly huaweiCredentials?: () => Promise<HuaweiCredentials>;
  /** May hold passwords: here and not among the options, which are shown. */
  readonly proxy?: ProxySettings;
}
