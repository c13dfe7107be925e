import { faultsByName } from "../../domain/errors.ts";
import * as kinds from "../store-errors.ts";

/** What an answer of the store means to the archiver. */
export interface S3Fault extends kinds.StoreFault {
  /** The same request is worth sending again within the call. */
  readonly isTransient?: true;
  /** Worth exactly one more attempt within the call, since a fresh signature may be taken. */
  readonly mayPassOnceMore?: true;
  /** Worth one more attempt within the call where the keys can be read again: they may have been renewed meanwhile. */
  readonly mayNewKeysHelp?: true;
}

const { FORBIDDEN, UNAUTHENTICATED, MISCONFIGURED, FULL, OBJECT_GONE } = kinds;
const UNAVAILABLE = { ...kinds.UNAVAILABLE, isTransient: true } as const;

const ACCESS_DENIED: S3Fault = {
  ...FORBIDDEN,
  problem: "the store denied access",
  hint: "Allow the store's credentials to put, get and list objects and to abort uploads below the prefix (s3:PutObject, s3:GetObject, s3:ListBucket, s3:ListBucketMultipartUploads, s3:AbortMultipartUpload, and the KMS key with SSE-KMS). Without list permission a missing object looks like a denied one.",
};
/** Of a HEAD, whose refusals say nothing more: it may have been the time of the signature. */
export const DENIED_WITHOUT_CODE: S3Fault = {
  ...ACCESS_DENIED,
  mayPassOnceMore: true,
  hint: `${ACCESS_DENIED.hint} Also check this machine's clock.`,
};
const CREDENTIALS_REFUSED: S3Fault = {
  ...UNAUTHENTICATED,
  mayNewKeysHelp: true,
  problem: "the store does not accept the access key",
  hint: "Check the store's credentials. ARCHIVER_STORE_CREDENTIALS chooses between the AWS chain, the Huawei AK/SK and the agency of a function.",
};
const CREDENTIALS_EXPIRED: S3Fault = {
  ...UNAUTHENTICATED,
  mayNewKeysHelp: true,
  retry: "later",
  problem: "the store's temporary credentials have expired",
  hint: "Renew the store's temporary credentials, or use a role that renews them automatically. FunctionGraph gives an agency's new keys to the next call.",
};
const ACCOUNT_CLOSED: S3Fault = {
  ...FORBIDDEN,
  retry: "later",
  problem: "the store's account is closed, frozen or in arrears",
  hint: "Look at the bills and the state of the account in the provider's console. The archiver goes on once the store takes requests again.",
};
const PATH_STYLE: S3Fault = {
  ...MISCONFIGURED,
  problem: "the store takes no path-style addresses",
  hint: "Remove ARCHIVER_STORE_PATH_STYLE, or set it to false. AWS_ENDPOINT_URL_S3 must not name the bucket.",
};
const NO_BUCKET: S3Fault = {
  ...FORBIDDEN,
  code: "store-missing",
  problem: "the bucket does not exist",
  hint: "Create the bucket, or correct ARCHIVER_STORE, the region and the endpoint.",
};
const WRONG_REGION: S3Fault = {
  ...MISCONFIGURED,
  problem: "the bucket is in another region or at another endpoint",
  hint: "Set AWS_REGION to the bucket's region. If AWS_ENDPOINT_URL_S3 is set, set it to that region's endpoint.",
};
const CLOCK: S3Fault = {
  ...MISCONFIGURED,
  retry: "later",
  mayPassOnceMore: true,
  problem: "the store refuses this machine's clock",
  hint: "Correct this machine's clock (NTP): it differs from the store's by more than 15 minutes.",
};
const CHUNKED: S3Fault = {
  ...MISCONFIGURED,
  problem: "the store does not accept the payload signature",
  hint: "Set ARCHIVER_STORE_PROFILE to obs or generic. If it is already, remove the proxy that rewrites requests to the store.",
};
const NOT_IMPLEMENTED: S3Fault = {
  ...MISCONFIGURED,
  problem: "the store does not know this kind of request",
  hint: "Set ARCHIVER_STORE_PROFILE to generic. If the store has no encryption or storage classes, remove ARCHIVER_STORE_SSE and ARCHIVER_STORE_STORAGE_CLASS.",
};
const INVALID_SETTING: S3Fault = {
  ...MISCONFIGURED,
  problem: "the store refuses a setting of the request",
  hint: "Check ARCHIVER_STORE_SSE, ARCHIVER_STORE_KMS_KEY_ID, ARCHIVER_STORE_STORAGE_CLASS, ARCHIVER_PART_SIZE_BYTES (at least 5 MiB on S3) and ARCHIVER_STORE_PATH_STYLE.",
};
const REFUSED: S3Fault = {
  ...FORBIDDEN,
  retry: "later",
  problem: "the store refused the request",
  // S3 answers a HEAD whose token has expired with a bare 400.
  hint: "Renew the store's temporary credentials if they may have expired. Otherwise the code, if there is one, names the setting that the store refuses.",
};
const QUOTA: S3Fault = {
  ...FULL,
  problem: "the store has no space left for this account",
  hint: "Raise the quota of the bucket or account, or free space.",
};
const BUSY: S3Fault = {
  ...UNAVAILABLE,
  problem: "the store asks to slow down",
  hint: "If it persists, look for other programs that use the bucket heavily.",
};
const UNWELL: S3Fault = {
  ...UNAVAILABLE,
  problem: "the store could not answer",
  hint: "If it persists, check the store's health page or log.",
};
const PARTS_DAMAGED: S3Fault = {
  ...kinds.UNAVAILABLE,
  problem: "the store received different bytes from those sent",
  hint: "If it persists, look for a faulty device or proxy between this machine and the store.",
};
const DAMAGED: S3Fault = { ...PARTS_DAMAGED, isTransient: true };
const OBJECT_COLD: S3Fault = {
  ...OBJECT_GONE,
  code: "store-object-cold",
  problem: "the object is in an archive storage class, and the store must restore it before a read",
  hint: "Restore it in the store's console, which takes hours. If it is a new copy, remove the archive class from ARCHIVER_STORE_STORAGE_CLASS and from the bucket's defaults.",
};

/** By the store's own error code. S3's names; other stores borrow them. */
export const FAULT_BY_CODE = faultsByName<S3Fault>([
  [ACCESS_DENIED, "AccessDenied AccessForbidden AllAccessDisabled KMS.DisabledException"],
  [ACCOUNT_CLOSED, "AccountProblem InArrearOrInsufficientBalance"],
  [CREDENTIALS_REFUSED, "InvalidAccessKeyId SignatureDoesNotMatch InvalidToken InvalidSecurity NotSignedUp"],
  [CREDENTIALS_REFUSED, "CredentialsNotSupported MissingSecurityHeader Unauthorized UnauthorizedAccess"],
  [CREDENTIALS_EXPIRED, "ExpiredToken TokenRefreshRequired"],
  [NO_BUCKET, "NoSuchBucket InvalidBucketName"],
  [WRONG_REGION, "PermanentRedirect TemporaryRedirect Redirect AuthorizationHeaderMalformed"],
  [WRONG_REGION, "IllegalLocationConstraintException"],
  [PATH_STYLE, "VirtualHostDomainRequired"],
  [CLOCK, "RequestTimeTooSkewed"],
  [CHUNKED, "XAmzContentSHA256Mismatch"],
  [NOT_IMPLEMENTED, "NotImplemented MethodNotAllowed"],
  [INVALID_SETTING, "InvalidArgument InvalidRequest InvalidStorageClass InvalidEncryptionAlgorithmError"],
  [INVALID_SETTING, "KMS.NotFoundException EntityTooSmall"],
  [QUOTA, "QuotaExceeded InsufficientStorageSpace XMinioStorageFull XMinioAdminBucketQuotaExceeded"],
  [BUSY, "SlowDown TooManyRequests ServiceUnavailable RequestLimitExceeded"],
  [UNWELL, "InternalError RequestTimeout OperationAborted IncompleteBody ConditionalRequestConflict"],
  [DAMAGED, "BadDigest XAmzContentChecksumMismatch"],
  [PARTS_DAMAGED, "InvalidPart InvalidPartOrder"],
  [kinds.UPLOAD_GONE, "NoSuchUpload"],
  [kinds.KEY_TAKEN, "PreconditionFailed"],
  [OBJECT_GONE, "NoSuchKey NotFound"],
  [OBJECT_COLD, "InvalidObjectState"],
]);

/** By status, when there is no code we know: HEAD answers have none, proxies have their own. */
export function faultOfStatus(status: number): S3Fault | undefined {
  return FAULT_BY_STATUS.get(String(status)) ?? (status >= 500 ? UNWELL : undefined);
}

const FAULT_BY_STATUS = faultsByName<S3Fault>([
  [WRONG_REGION, "301 302 307"],
  [REFUSED, "400"],
  [CREDENTIALS_REFUSED, "401"],
  [ACCESS_DENIED, "403"],
  [OBJECT_GONE, "404"],
  [NOT_IMPLEMENTED, "405 501"],
  [UNWELL, "408 409"],
  [kinds.KEY_TAKEN, "412"],
  [BUSY, "429"],
  [QUOTA, "507"],
]);

/** No whole answer at all. */
export const UNREACHABLE: S3Fault = {
  ...UNAVAILABLE,
  problem: "the store is unreachable, or broke the connection",
  hint: "Check the network, the endpoint (AWS_ENDPOINT_URL_S3), the region and the firewall.",
};
/** Our own limit of time. */
export const TOO_SLOW: S3Fault = {
  ...UNAVAILABLE,
  problem: "the store did not answer in time",
  hint: "Check the network to the store and the store's load.",
};
/** A certificate that does not hold. */
export function untrustedTls(hint: string): S3Fault {
  return { ...MISCONFIGURED, problem: "the store's TLS certificate is not trusted", hint };
}
export const NO_CREDENTIALS: S3Fault = {
  ...UNAUTHENTICATED,
  problem: "the archiver found no credentials for the store",
  hint: "Give the process credentials: a role, a profile or AWS_ACCESS_KEY_ID. Or set ARCHIVER_STORE_CREDENTIALS=huawei.",
};
export const NO_REGION: S3Fault = {
  ...MISCONFIGURED,
  problem: "the store's region is unknown",
  hint: "Set AWS_REGION to the region of the bucket.",
};
export const NOT_S3: S3Fault = {
  ...UNAVAILABLE,
  code: "store-foreign-answer",
  problem: "the answer did not come from an S3 store",
  hint: "Look for a proxy or login page in front of the store, and check AWS_ENDPOINT_URL_S3.",
};
/** More bytes than any answer of this kind has. */
export const OVERSIZED: S3Fault = {
  ...FULL,
  code: "store-foreign-answer",
  problem: "the store's answer is longer than S3 allows",
  hint: "Check AWS_ENDPOINT_URL_S3 and every proxy in front of the store. The archiver cannot use a store that answers like this.",
};
/** A list whose pages lead to ever more pages without a new key. */
export const ENDLESS_LIST: S3Fault = {
  ...FULL,
  code: "store-foreign-answer",
  problem: "the store's list continues without a new entry",
  hint: "Check the known faults of the store's version, and look for a proxy in front of it. If the bucket has many delete markers, let a lifecycle rule remove them.",
};
