import * as v from "valibot";
import { ArchiverError } from "../domain/errors.ts";
import type { Secret } from "../observability/redact.ts";
import { secretText } from "./value-schemas.ts";

/** Temporary keys as a host of functions hands them out; a value that it does not give is missing or empty. */
export interface GivenKeys {
  readonly accessKeyId: string | undefined;
  readonly secretAccessKey: string | undefined;
  readonly securityToken: string | undefined;
}

/** Temporary keys are never without their token. */
const givenSchema = v.object({
  accessKeyId: secretText,
  secretAccessKey: secretText,
  securityToken: secretText,
});

/** One set of an agency's keys; its secrets show nothing of themselves. */
export type KeySet = Readonly<v.InferOutput<typeof givenSchema>>;

/** What the host calls each of them, for messages. */
const IN_WORDS: Readonly<Record<keyof GivenKeys, string>> = {
  accessKeyId: "access key id",
  secretAccessKey: "secret key",
  securityToken: "security token",
};

/**
 * Holds the temporary keys of an *agency*: Huawei Cloud's role that a function runs with. A host gives them with each
 * invocation. They are kept in memory alone, and only the newest set.
 *
 * A host of functions makes one holder for its process, and does two things with it:
 *
 * 1. It calls {@link accept} with the keys of each invocation before it calls the function's handler. It may call it
 *    again while that runs: every later request is signed with the newer keys.
 * 2. It gives the holder to the handler, as `agencyKeys` of the handler's context. From there it goes into the
 *    configuration, which refuses the value `agency` of `ARCHIVER_PLATFORM_CREDENTIALS` and
 *    `ARCHIVER_STORE_CREDENTIALS` where there is no holder.
 *
 * The handler tells its redactor of the keys before anything else, and of newer ones before a request has them
 * (`AccessKeys`). A host that logs on its own asks {@link secrets} what must not come out.
 */
export class AgencyKeys {
  #held: KeySet | undefined;
  #problem = "the host of this function gave no keys of an agency";

  /**
   * Keeps these keys from now on, and forgets those before. Keys that are not whole empty the holder: old ones would
   * work on for a day where an agency was taken away. Never throws; {@link current} says what was missing.
   */
  accept(given: GivenKeys): void {
    const parsed = v.safeParse(givenSchema, given);
    this.#held = parsed.success ? parsed.output : undefined;
    if (!parsed.success) {
      this.#problem = problemOf(given);
    }
  }

  /**
   * The newest keys. Whoever signs asks at each request.
   *
   * @throws ArchiverError `agency-keys-missing`, of the system, while there are none.
   */
  current(): KeySet {
    if (this.#held === undefined) {
      throw new ArchiverError("agency-keys-missing", this.#problem, {
        scope: "system",
        retry: "later",
        hint: "Give the function an agency that FunctionGraph may use (its setting agency), with the permissions of docs/deploy-huawei.md. A change takes about 10 minutes.",
      });
    }
    return this.#held;
  }

  /** What must not be shown, for a redactor; nothing while there are no keys. */
  secrets(): readonly Secret[] {
    return this.#held === undefined ? [] : Object.values(this.#held);
  }
}

/** What is wrong, without any of the values. */
function problemOf(given: GivenKeys): string {
  const entries = [
    ["accessKeyId", given.accessKeyId],
    ["secretAccessKey", given.secretAccessKey],
    ["securityToken", given.securityToken],
  ] as const;
  const absent = entries.filter(([, text]) => text === undefined || text === "");
  if (absent.length === entries.length) {
    return "the host of this function gave no keys of an agency";
  }
  const odd = absent.length > 0 ? absent : entries.filter(([, text]) => !v.is(secretText, text));
  const names = odd.map(([field]) => IN_WORDS[field]).join(" and ");
  return `the host of this function gave keys of an agency whose ${names} ${absent.length > 0 ? "is missing" : "is not a key"}`;
}
