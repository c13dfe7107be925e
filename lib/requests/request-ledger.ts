import type * as v from "valibot";
import {
  claimKey,
  claimPrefix,
  claimResultKey,
  parseClaimKey,
  parseRequestKey,
  REQUESTS_FOLDER,
  type RequestSubject,
  requestKey,
  requestOutcomeKey,
} from "../domain/request-layout.ts";
import type { Clock } from "../ports/clock.ts";
import type { ObjectStore, StoreAbilities } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { createOnce, jsonText } from "../records/create-once.ts";
import { parseRecord } from "../records/schemas.ts";
import { tooManyRequestFiles, unreadableRequestFile } from "./errors.ts";
import {
  type ClaimDocument,
  type ClaimResult,
  claimResultSchema,
  claimSchema,
  type RequestDocument,
  type RequestOutcome,
  requestSchema,
} from "./schemas.ts";

const MAX_REQUEST_FILES = 200_000;
/** A request that waits for a permission for a year leaves about so many. */
const MAX_CLAIM_FILES = 20_000;
/** Only the latest claims bear on what is to be done. */
const MAX_CLAIMS_READ = 40;
/** How long a claim must stand alone where the store cannot create once. */
const CLAIM_STANDS_MS = 3_000;

/** A claim to create an export, and what came of it. */
export interface Claim {
  readonly number: number;
  readonly claim: ClaimDocument;
  /** Missing while nobody knows whether an export was created. */
  readonly result: ClaimResult | undefined;
}

/** The documents of all requests, kept in the object store. Everything in it is written once. */
export class RequestLedger {
  readonly #store: ObjectStore;
  readonly #clock: Clock;
  #abilities: StoreAbilities | undefined;

  constructor(store: ObjectStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Makes a new store usable, and finds out what it can do. */
  async prepare(options: CallOptions): Promise<void> {
    await this.#probed(options);
  }

  /** The requests without an outcome, those of the oldest status first. */
  async open(options: CallOptions): Promise<readonly RequestSubject[]> {
    // A request and its outcome cancel each other, in whatever order they are listed.
    const unpaired = new Map<string, { readonly subject: RequestSubject; readonly isOutcome: boolean }>();
    let files = 0;
    for await (const { key } of this.#store.list(REQUESTS_FOLDER, options)) {
      files += 1;
      if (files > MAX_REQUEST_FILES) {
        throw tooManyRequestFiles(MAX_REQUEST_FILES, REQUESTS_FOLDER);
      }
      const parsed = parseRequestKey(key);
      if (parsed !== undefined) {
        const name = requestKey(parsed.subject);
        unpaired.has(name) ? unpaired.delete(name) : unpaired.set(name, parsed);
      }
    }
    return [...unpaired.values()]
      .filter(({ isOutcome }) => !isOutcome)
      .map(({ subject }) => subject)
      .sort((a, b) => compare(a.statusTime, b.statusTime) || compare(a.batchTaskId, b.batchTaskId));
  }

  /** `undefined` when the file is not a request, or speaks of another one than its key. */
  async read(subject: RequestSubject, options: CallOptions): Promise<RequestDocument | undefined> {
    const request = parseRecord(requestSchema, await this.#store.getDocument(requestKey(subject), options));
    return request?.batchTaskId === subject.batchTaskId ? request : undefined;
  }

  /** Whether this request was made before, open or ended. */
  async has(subject: RequestSubject, options: CallOptions): Promise<boolean> {
    for (const key of [requestKey(subject), requestOutcomeKey(subject)]) {
      if ((await this.#store.getDocument(key, options)) !== undefined) {
        return true;
      }
    }
    return false;
  }

  /** @returns false when somebody else made the same request just now. */
  async writeRequest(
    subject: RequestSubject,
    request: RequestDocument,
    options: CallOptions,
  ): Promise<boolean> {
    return await this.#createOnce(requestKey(subject), request, options);
  }

  /** The latest claims on a batch task, in order. @throws ArchiverError when one cannot be read. */
  async claimsOf(batchTaskId: string, options: CallOptions): Promise<readonly Claim[]> {
    const numbers: number[] = [];
    const withResult = new Set<number>();
    for await (const { key } of this.#store.list(claimPrefix(batchTaskId), options)) {
      const parsed = parseClaimKey(key, batchTaskId);
      if (numbers.length + withResult.size > MAX_CLAIM_FILES) {
        throw tooManyRequestFiles(MAX_CLAIM_FILES, claimPrefix(batchTaskId));
      }
      if (parsed?.isResult) {
        withResult.add(parsed.number);
      } else if (parsed !== undefined) {
        numbers.push(parsed.number);
      }
    }
    const claims: Claim[] = [];
    for (const number of numbers.sort((a, b) => a - b).slice(-MAX_CLAIMS_READ)) {
      claims.push({
        number,
        claim: await this.#demand(claimKey(batchTaskId, number), claimSchema, options),
        result: withResult.has(number)
          ? await this.#demand(claimResultKey(batchTaskId, number), claimResultSchema, options)
          : undefined,
      });
    }
    return claims;
  }

  /**
   * Takes the right to create an export of a batch task.
   *
   * Where the store cannot create once, the claim has to stand for some time: a rival who saw no claim before
   * ours was written either has written over it by then, or took so long over his own that he gives it up.
   *
   * @returns whether the claim is ours.
   */
  async claim(
    batchTaskId: string,
    number: number,
    claim: ClaimDocument,
    options: CallOptions,
  ): Promise<boolean> {
    const key = claimKey(batchTaskId, number);
    const { createOnce: canCreateOnce } = await this.#probed(options);
    const startedMs = this.#clock.monotonicMs();
    const written = await this.#createOnce(key, claim, options);
    if (canCreateOnce && written) {
      return true;
    }
    if (!canCreateOnce) {
      if (!written || this.#clock.monotonicMs() - startedMs > CLAIM_STANDS_MS) {
        return false;
      }
      await this.#clock.sleep(CLAIM_STANDS_MS, options.signal);
    }
    // A conflict may be with our own write, whose answer was lost on the way.
    return (await this.#store.getDocument(key, options))?.text === jsonText(claim);
  }

  /** @returns false when another result stands already; it is the one that counts. */
  async writeResult(
    batchTaskId: string,
    number: number,
    result: ClaimResult,
    options: CallOptions,
  ): Promise<boolean> {
    return await this.#createOnce(claimResultKey(batchTaskId, number), result, options);
  }

  /** Ends a request; an outcome that stands already says the same. */
  async writeOutcome(subject: RequestSubject, outcome: RequestOutcome, options: CallOptions): Promise<void> {
    await this.#createOnce(requestOutcomeKey(subject), outcome, options);
  }

  async #demand<Schema extends v.GenericSchema>(
    key: string,
    schema: Schema,
    options: CallOptions,
  ): Promise<v.InferOutput<Schema>> {
    const document = parseRecord(schema, await this.#store.getDocument(key, options));
    if (document === undefined) {
      throw unreadableRequestFile(key);
    }
    return document;
  }

  async #createOnce(key: string, document: object, options: CallOptions): Promise<boolean> {
    return await createOnce(this.#store, await this.#probed(options), key, document, options);
  }

  /** Asked only once something is to be written: most runs find nothing to do. */
  async #probed(options: CallOptions): Promise<StoreAbilities> {
    this.#abilities ??= await this.#store.preflight(options);
    return this.#abilities;
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
