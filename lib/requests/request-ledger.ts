import type * as v from "valibot";
import { compareTexts } from "../domain/compare-texts.ts";
import type { PlatformScope } from "../domain/export-task.ts";
import {
  claimKey,
  claimPrefix,
  claimResultKey,
  compactTime,
  type NewRequest,
  parseClaimKey,
  parseRequestKey,
  REQUESTS_FOLDER,
  type RequestSubject,
  requestKey,
  requestOutcomeKey,
} from "../domain/request-layout.ts";
import type { Clock } from "../ports/clock.ts";
import type { ObjectStore, StoreAbilities } from "../ports/object-store.ts";
import type { CallOptions, Platform } from "../ports/platform.ts";
import { createOnce, jsonText } from "../records/create-once.ts";
import { Records } from "../records/records.ts";
import { parseRecord } from "../records/schemas.ts";
import type { RunPorts } from "../run/ports.ts";
import { unreadableRequestFile } from "./errors.ts";
import {
  type ClaimDocument,
  type ClaimResult,
  claimResultSchema,
  claimSchema,
  REQUEST_SCHEMA_VERSION,
  type RequestDocument,
  type RequestOutcome,
  requestSchema,
} from "./schemas.ts";
import type { RequestSettings } from "./settings.ts";

/** Only the latest claims bear on what is to be done. */
const MAX_CLAIMS_READ = 40;
/** How long a claim must stand alone where the store cannot create once. */
const CLAIM_STANDS_MS = 3_000;

/** A claim to create an export, and what came of it. */
export interface Claim {
  readonly number: number;
  readonly claim: ClaimDocument;
  /** Missing while it is unknown whether an export was created. */
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

  /** The requests without an outcome, those of the oldest status first. */
  async open(options: CallOptions): Promise<readonly RequestSubject[]> {
    // A request and its outcome cancel each other, in whatever order they are listed.
    const unpaired = new Map<string, { readonly subject: RequestSubject; readonly isOutcome: boolean }>();
    for await (const { key } of this.#store.list(REQUESTS_FOLDER, options)) {
      const parsed = parseRequestKey(key);
      if (parsed !== undefined) {
        const name = requestKey(parsed.subject);
        unpaired.has(name) ? unpaired.delete(name) : unpaired.set(name, parsed);
      }
    }
    return [...unpaired.values()]
      .filter(({ isOutcome }) => !isOutcome)
      .map(({ subject }) => subject)
      .sort((a, b) => compareTexts(a.statusTime, b.statusTime) || compareTexts(a.batchTaskId, b.batchTaskId));
  }

  /** `undefined` when the file is not a request, or speaks of another one than its key. */
  async read(subject: RequestSubject, options: CallOptions): Promise<RequestDocument | undefined> {
    const request = parseRecord(requestSchema, await this.#store.getDocument(requestKey(subject), options));
    return request?.batchTaskId === subject.batchTaskId ? request : undefined;
  }

  /** Whether this request was made before, open or ended. Makes a new store usable: an event may be the first to use it. */
  async has(subject: RequestSubject, options: CallOptions): Promise<boolean> {
    await this.#probed(options);
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

/**
 * Makes a request durable. The same batch task and status time is the same request, for good: an event that
 * comes again, a month later too, finds it and changes nothing.
 *
 * @returns whether it is a new one.
 * @throws what the store throws; then nothing is promised.
 */
export async function makeRequest(
  { store, clock }: { readonly store: ObjectStore; readonly clock: Clock },
  scope: PlatformScope,
  { batchTaskId, statusAtMs, ...more }: NewRequest,
  options: CallOptions,
): Promise<"new" | "known"> {
  const ledger = new RequestLedger(store, clock);
  const subject = { batchTaskId, statusTime: compactTime(statusAtMs) };
  if (await ledger.has(subject, options)) {
    return "known";
  }
  const request: RequestDocument = {
    schemaVersion: REQUEST_SCHEMA_VERSION,
    projectId: scope.projectId,
    instanceId: scope.instanceId ?? null,
    batchTaskId,
    // As the key has it: whole seconds.
    statusAt: new Date(Math.floor(statusAtMs / 1000) * 1000).toISOString(),
    requestedAt: new Date(clock.wallMs()).toISOString(),
    ...more,
  };
  return (await ledger.writeRequest(subject, request, options)) ? "new" : "known";
}

/** What a run is given. It is its own `CallOptions`. */
export interface GivenRequestsRun {
  readonly ports: Pick<RunPorts, "store" | "clock"> & {
    readonly platform: Pick<Platform, "listExportTasks" | "createExportTask">;
  };
  readonly settings: RequestSettings;
  readonly signal: AbortSignal;
}

/** What the requests policy works with in one run. */
export interface RequestsRun extends GivenRequestsRun {
  readonly runId: string;
  readonly ledger: RequestLedger;
  readonly records: Records;
}

/** Opens the documents that the policy works on; calls nothing yet. */
export function openRun(given: GivenRequestsRun, runId: string): RequestsRun {
  const { ports, settings } = given;
  return {
    ...given,
    runId,
    ledger: new RequestLedger(ports.store, ports.clock),
    // Requests write no record of an export, so they need not know whether the store can do so once.
    records: new Records(ports.store, settings.scope, { createOnce: false }),
  };
}
