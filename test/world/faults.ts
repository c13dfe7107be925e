/** Every kind of call to the outside. */
export type Site =
  | "platform.listExportTasks"
  | "platform.showExportTask"
  | "platform.body"
  | "platform.deleteExportTask"
  | "platform.createExportTask"
  | "store.preflight"
  | "store.readClockMs"
  | "store.openUpload"
  | "store.write"
  | "store.complete"
  | "store.abort"
  | "store.head"
  | "store.confirmStored"
  | "store.read"
  | "store.list"
  | "store.abortUploadsUnder"
  | "store.getDocument"
  | "store.putDocument"
  | "store.removeObject"
  | "queue.receive"
  | "queue.renew"
  | "queue.send"
  | "queue.acknowledge"
  | "queue.deadLetter"
  | "queue.depth"
  | "queue.listDeadLetters"
  | "queue.redrive"
  | "memory.recall"
  | "memory.remember"
  | "notifier.send";

/** One call as a fault's `match` sees it. */
export interface SiteCall {
  readonly site: Site;
  /** The key, id, prefix or message id the call is about. */
  readonly subject: string;
  readonly runner: string;
  /** How many calls this site has seen over all runners, this one included. */
  readonly occurrence: number;
}

/** What a download's body can suffer. Lengths are what `Content-Length` says then. */
export type BodyDamage =
  /** Ends early without an error; a negative `keepBytes` leaves that many out. `declared`: the length of the whole file, of what is sent, or none. */
  | { readonly kind: "short"; readonly keepBytes: number; readonly declared: "whole" | "sent" | "none" }
  | { readonly kind: "extra"; readonly extraBytes: number; readonly declared: "whole" | "sent" | "none" }
  | { readonly kind: "flip"; readonly atByte: number }
  /** The answer is another body altogether. */
  | { readonly kind: "replace"; readonly bytes: Uint8Array }
  /** A web page: the port's promise about first bytes makes the call itself fail. */
  | { readonly kind: "html" }
  /** Whole, but without a `Content-Length`. */
  | { readonly kind: "no-length" }
  /** Sends this much and then nothing until the download is cancelled or aborted. */
  | { readonly kind: "stall"; readonly afterBytes: number }
  | { readonly kind: "reset"; readonly afterBytes: number }
  /** Whole, but each chunk comes this much later. */
  | { readonly kind: "drip"; readonly extraMsPerChunk: number }
  /** The runner freezes after this much. */
  | { readonly kind: "crash"; readonly afterBytes: number };

/** What happens to a call. */
export type Fault =
  /** Fails without an effect. */
  | { readonly form: "not-done"; readonly error: Error }
  /** Has its effect, then fails. */
  | { readonly form: "done-answer-lost"; readonly error: Error }
  /** `store.putDocument` only: writes, then says `conflict`, as a repeated conditional write does. */
  | { readonly form: "done-says-conflict" }
  /** `store.getDocument` only: somebody has put at its key, unless that is spared, what is not text. */
  | { readonly form: "spoiled"; readonly spares?: (key: string) => boolean }
  /** Somebody else does something at the worst moment: just before the effect. */
  | { readonly form: "race"; readonly act: () => void }
  /** Takes this much longer before its effect. */
  | { readonly form: "slow"; readonly extraMs: number }
  /** Never answers; ends by the caller's signal alone. */
  | { readonly form: "stall" }
  /** The runner freezes for good, before or after the effect, as a killed process does. */
  | { readonly form: "crash"; readonly when: "before" | "after" }
  /** `platform.body` only. */
  | { readonly form: "body"; readonly damage: BodyDamage };

/**
 * A fault and the calls it hits: from the `occurrence`-th call (default: the first) of those that `match`
 * (default: all at the site), `times` calls in a row (default 1; `Infinity` until cleared).
 */
export type PlannedFault = {
  /** `any`: every call; not for a fault that only some sites can have. */
  readonly site: Site | "any";
  readonly match?: (call: SiteCall) => boolean;
  readonly occurrence?: number;
  readonly times?: number;
} & Fault;

interface PlantedFault {
  readonly fault: PlannedFault;
  /** Calls that it concerned so far. */
  seen: number;
}

/** The faults of one world. Every call to the outside reports here first. */
export class Faults {
  readonly #planned = new Map<Site | "any", PlantedFault[]>();
  readonly #occurrences = new Map<Site, number>();
  readonly #hits: SiteCall[] = [];

  /**
   * Plants faults; where several would hit one call, the first planted does.
   *
   * @throws TypeError for a form that its site cannot have.
   */
  plant(...faults: readonly PlannedFault[]): void {
    for (const fault of faults) {
      requirePossible(fault);
      const atSite = this.#planned.get(fault.site) ?? [];
      atSite.push({ fault, seen: 0 });
      this.#planned.set(fault.site, atSite);
    }
  }

  /** Forgets every planted fault: the outage is over. */
  clear(): void {
    this.#planned.clear();
  }

  /** The calls that a fault hit, in order. */
  get hits(): readonly SiteCall[] {
    return this.#hits;
  }

  /** How often a site was called. */
  countCalls(site: Site): number {
    return this.#occurrences.get(site) ?? 0;
  }

  /** Counts the call and returns what happens to it. */
  report(site: Site, subject: string, runner: string): Fault | undefined {
    const occurrence = this.countCalls(site) + 1;
    this.#occurrences.set(site, occurrence);
    const call = { site, subject, runner, occurrence };
    const hitAtSite = firstHit(this.#planned.get(site), call);
    const hitAnywhere = firstHit(this.#planned.get("any"), call);
    const hit = hitAtSite ?? hitAnywhere;
    if (hit !== undefined) {
      this.#hits.push(call);
    }
    return hit;
  }
}

/** Counts the call for each fault that it concerns; returns the first that hits it. */
function firstHit(planted: readonly PlantedFault[] = [], call: SiteCall): Fault | undefined {
  let hit: Fault | undefined;
  for (const entry of planted) {
    const { match, occurrence: first = 1, times = 1 } = entry.fault;
    if (match === undefined || match(call)) {
      entry.seen += 1;
      if (entry.seen >= first && entry.seen < first + times) {
        hit ??= entry.fault;
      }
    }
  }
  return hit;
}

function requirePossible({ form, site }: PlannedFault): void {
  const isPossible =
    site === "any"
      ? form === "crash" || form === "stall"
      : site === "platform.body"
        ? form === "body" || form === "crash" || form === "stall"
        : form !== "body" &&
          (form !== "done-says-conflict" || site === "store.putDocument") &&
          (form !== "spoiled" || site === "store.getDocument");
  if (!isPossible) {
    throw new TypeError(`there is no fault of the form ${form} at ${site}`);
  }
}
