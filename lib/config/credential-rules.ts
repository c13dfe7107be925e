import type { Secret } from "../observability/redact.ts";
import type { AgencyKeys } from "./agency-keys.ts";
import type { Refuse, SectionsRead } from "./rules.ts";
import { SECTIONS } from "./settings.ts";

/** Where the access keys of the platform come from. */
export type PlatformCredentials =
  | {
      readonly kind: "static";
      readonly ak: Secret;
      readonly sk: Secret;
      readonly securityToken: Secret | undefined;
    }
  /** A Secrets Manager id of `{"ak","sk","securityToken"?}`. */
  | { readonly kind: "secret"; readonly secretId: string }
  /** A host of functions gives them. */
  | { readonly kind: "agency"; readonly held: AgencyKeys };

type Credentials = Pick<SectionsRead, "credentials" | "store">;

/** The rules over where access keys come from, whatever a command needs. */
export function checkCredentials(
  read: Credentials,
  refuse: Refuse,
  agencyKeys: AgencyKeys | undefined,
): void {
  checkCredentialSources(read.credentials, refuse);
  if (agencyKeys === undefined) {
    refuseAgency(read, refuse);
  }
  const { credentials, store } = read;
  // The store may take the access keys of another account while the platform takes the agency's.
  if (credentials.values.source === "agency" && store.values.credentials !== "huawei") {
    const { ak, secretId } = SECTIONS.credentials.entries;
    const given = credentials.isSet("secretId") ? secretId : credentials.isSet("ak") ? ak : undefined;
    if (given !== undefined) {
      const problem = "is set, but ARCHIVER_PLATFORM_CREDENTIALS is agency: two sources of the same keys";
      refuse(given, problem, "Remove one of them.");
    }
  }
}

const NOT_A_FUNCTION = "is agency, but this program does not run as a function of FunctionGraph";
const GIVE_KEYS = "and give access keys: only FunctionGraph has the keys of an agency.";

/** An agency's keys come from a host that has some, and from nowhere else. */
function refuseAgency({ credentials, store }: Credentials, refuse: Refuse): void {
  if (credentials.values.source === "agency") {
    refuse(SECTIONS.credentials.entries.source, NOT_A_FUNCTION, `Set it to keys, ${GIVE_KEYS}`);
  }
  if (store.values.credentials === "agency") {
    refuse(SECTIONS.store.entries.credentials, NOT_A_FUNCTION, `Set it to huawei, ${GIVE_KEYS}`);
  }
}

function checkCredentialSources(credentials: SectionsRead["credentials"], refuse: Refuse): void {
  const { entries } = SECTIONS.credentials;
  const keys = (["ak", "sk", "securityToken"] as const).filter((key) => credentials.isSet(key));
  const names = keys.map((key) => entries[key].about.name).join(" and ");
  if (keys.length === 0) {
    return;
  }
  if (credentials.isSet("secretId")) {
    const problem = `is set together with ${names}: two sources of the same keys`;
    refuse(entries.secretId, problem, "Remove one of them.");
    return;
  }
  for (const key of ["ak", "sk"] as const) {
    if (!credentials.isSet(key)) {
      refuse(entries[key], `is not set, but ${names} is`);
    }
  }
}

/** Exactly one source of access keys (architecture §6.1, "two sources for one thing"). */
export function credentialsOf(
  { credentials }: SectionsRead,
  refuse: Refuse,
): PlatformCredentials | undefined {
  const { ak, sk, securityToken, secretId } = credentials.values;
  if (secretId !== undefined) {
    return { kind: "secret", secretId };
  }
  if (ak !== undefined && sk !== undefined) {
    return { kind: "static", ak, sk, securityToken };
  }
  const isAnySet = (["ak", "sk", "securityToken", "secretId"] as const).some((key) => credentials.isSet(key));
  return isAnySet
    ? undefined
    : refuse(
        SECTIONS.credentials.entries.ak,
        "is not set, and neither is another source of access keys",
        "Set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, or ARCHIVER_CREDENTIALS_SECRET.",
      );
}

/** Where there is no holder, {@link checkCredentials} has said so. */
export function ofAgency(held: AgencyKeys | undefined): PlatformCredentials | undefined {
  return held && { kind: "agency", held };
}
