import { compact } from "../domain/compact.ts";
import { ArchiverError, describeFailure, type Failure } from "../domain/errors.ts";
import { exportsRoot, inventoryStateKey } from "../domain/key-layout.ts";
import { type LeftAloneReport, LeftAloneTally } from "../domain/left-alone.ts";
import { NameSet } from "../domain/name-set.ts";
import { requireOwnArchive } from "../identity/marker.ts";
import type { CatalogueLine } from "../records/catalogue-line.ts";
import { jsonText } from "../records/create-once.ts";
import { HoldsReader } from "../records/holds.ts";
import { lastWholeMs, readInventoryState } from "../records/inventory-state.ts";
import { SCHEMA_VERSION } from "../records/schemas.ts";
import { type RunStart, type RunTimes, runTimes, startRun } from "../run/run-frame.ts";
import { CatalogueUpdate } from "./catalogue-update.ts";
import { type Damage, damageOf } from "./damage.ts";
import { endOldUploads, type OpenUploads } from "./open-uploads.ts";
import { findOrphans, type Orphan, objectName } from "./orphans.ts";
import type { InventoryPorts, InventoryRun, InventorySettings } from "./ports.ts";
import { walkRecords } from "./record-walk.ts";
import { Verification, type VerificationReport } from "./verification.ts";

/** Kept free at the end for writing what was read, and the report. */
const GRACE_MS = 20_000;
/** The part of the time that reading new records may take; the rest is for what is done with the lines. */
const READING_SHARE = 0.6;
/** An older object without a record, or an older open upload, belongs to no attempt that is under way. */
const ABANDONED_AFTER_MS = 24 * 3_600_000;
/** Reports name this many one by one; the counts go on. */
const MAX_ENTRIES = 1_000;

export interface InventoryOptions {
  readonly signal: AbortSignal;
  /** The run ends on its own within this time; without it, when it is done. */
  readonly limitMs?: number | undefined;
  /** Sees every line of the catalogue once, as it is now. */
  readonly onLine?: (line: CatalogueLine) => void;
  /** An inventory that reads no copy names those again that the last one found changed. */
  readonly keepsChanged?: boolean;
}

/** Of an inventory that could not begin. */
export const NOTHING_COUNTED = {
  exports: 0,
  objects: 0,
  read: 0,
  damaged: 0,
  orphans: 0,
  monthsWritten: 0,
  monthsInConflict: 0,
};

type Unremoved = Pick<CatalogueLine, "exportTaskId" | "revision" | "key">;

/** What an inventory returns, and what stands below `state/inventory/`. */
export interface InventoryReport extends RunTimes, OpenUploads {
  /** `time-budget`: the next inventory goes on where this one ended. */
  readonly stopReason: "done" | "time-budget" | "system-failure";
  readonly failure?: Failure;
  /** When the last inventory before this one began that had time for everything. */
  readonly lastWholeAt?: string;
  readonly counts: {
    /** Archived revisions in the catalogue, the expired ones included. */
    readonly exports: number;
    readonly objects: number;
    /** Revisions whose records were read: new ones and changed ones. */
    readonly read: number;
    readonly damaged: number;
    readonly orphans: number;
    /** Files of the catalogue that were written. */
    readonly monthsWritten: number;
    /** Files that another inventory wrote at the same time; the next inventory looks at them again. */
    readonly monthsInConflict: number;
  };
  /** At most 1,000. */
  readonly damage: readonly Damage[];
  /** At most 1,000. They are reported and never removed here. */
  readonly orphans: readonly Orphan[];
  /** Exports with an `expired` record whose object is still there: a run of expiry died. At most 1,000. */
  readonly unremoved: readonly Unremoved[];
  /** Missing where the reading is switched off. */
  readonly verification?: VerificationReport;
  readonly leftAlone?: LeftAloneReport;
}

/**
 * One listing of the archive: brings the catalogue up to date, and says what is damaged and what no record names.
 * It reads the records of those revisions alone that are new or changed, and ends abandoned uploads. It removes nothing.
 *
 * @throws the signal's reason, and what is not a failure of the world.
 */
export async function inventory(
  ports: InventoryPorts,
  settings: InventorySettings,
  options: InventoryOptions,
): Promise<InventoryReport> {
  const start = startRun(ports, options.limitMs);
  const tally = new InventoryTally(ports);
  let stopReason: InventoryReport["stopReason"] = "system-failure";
  let failure: Failure | undefined;
  try {
    const run = await beginRun(ports, settings, options, start);
    const isWhole = await takeInventory(run, settings, tally, options);
    // What was found damaged or missing may lie in another place that stands in the archive's.
    await requireOwnArchive(run, options);
    stopReason = isWhole ? "done" : "time-budget";
    const report = tally.report({ ...runTimes(start, ports.clock), stopReason });
    await ports.store.putDocument(
      inventoryStateKey(settings.scope),
      jsonText({ schemaVersion: SCHEMA_VERSION, ...report }),
      { kind: "always" },
      options,
    );
    return report;
  } catch (error) {
    options.signal.throwIfAborted();
    if (!(error instanceof ArchiverError)) {
      throw error;
    }
    failure = describeFailure(error);
  }
  const report = tally.report({ ...runTimes(start, ports.clock), stopReason, ...compact({ failure }) });
  // What a failed inventory saw proves nothing: the next one says it again.
  return { ...report, damage: [], orphans: [], unremoved: [] };
}

/** What the steps share, once the store has said what it can do. Throws what the store throws. */
export async function beginRun(
  ports: InventoryPorts,
  { scope }: InventorySettings,
  { signal }: InventoryOptions,
  { limitAtMs }: RunStart,
): Promise<InventoryRun> {
  const abilities = await ports.store.preflight({ signal });
  return {
    ports,
    scope,
    abilities,
    signal,
    msLeft: () => limitAtMs - GRACE_MS - ports.clock.monotonicMs(),
  };
}

/** @returns whether there was time for everything. */
async function takeInventory(
  run: InventoryRun,
  settings: InventorySettings,
  tally: InventoryTally,
  { onLine, keepsChanged = false }: InventoryOptions,
): Promise<boolean> {
  const { signal } = run;
  const holds = await new HoldsReader(run.ports.store).read({ signal });
  tally.leftAlone.note(holds.leftAlone);
  const before = await readInventoryState(run.ports.store, run.scope, run);
  tally.lastWholeMs = lastWholeMs(before);
  const catalogue = new CatalogueUpdate(run, tally.counts, holds, before);
  await catalogue.readKnown();
  const objects = await listObjects(run, tally);
  const isWhole = await walkRecords(run, {
    isKnown: (name, recordsTag) => catalogue.meet(name, recordsTag),
    onLines: (lines) => catalogue.add(lines),
    onDamage: (damage) => tally.addDamage(damage),
    onLeftAlone: (item) => tally.leftAlone.note([item]),
    reserveMs: Number.isFinite(run.msLeft()) ? run.msLeft() * (1 - READING_SHARE) : 0,
  });
  const verification =
    settings.verifyWithinDays === 0 ? undefined : await Verification.begin(run, settings, run.ports.files);
  for await (const line of catalogue.update(isWhole)) {
    tally.counts.exports += 1;
    onLine?.(line);
    verification?.see(line);
    const [isThere = false, ...areEarlierThere] = [line, ...(line.earlier ?? [])].map((object) =>
      objects.mark(objectName(object)),
    );
    if (line.expiredAt !== undefined) {
      if (isThere || areEarlierThere.includes(true)) {
        tally.addUnremoved(line);
      }
    } else if (!isThere) {
      const damage = await damageOf(run, line);
      if (damage !== undefined) {
        tally.addDamage(damage);
      }
    }
  }
  // What is younger may belong to an attempt that is under way, on a machine that this one does not see.
  const latestMs = (await run.ports.store.readClockMs({ signal })) - ABANDONED_AFTER_MS;
  if (isWhole) {
    const { count, orphans } = await findOrphans(run, objects, latestMs, (item) =>
      tally.leftAlone.note([item]),
    );
    tally.counts.orphans = count;
    tally.orphans = orphans;
  }
  tally.uploads = await endOldUploads(run, latestMs);
  const verified = await verification?.read();
  tally.verification = verified?.report;
  const changedBefore = before?.damage.filter(
    ({ kind, key }) => kind === "changed" && (keepsChanged || verified?.stillInDoubt.has(key) === true),
  );
  for (const damage of [...(changedBefore ?? []), ...(verified?.damage ?? [])]) {
    tally.addDamage(damage);
  }
  return isWhole;
}

async function listObjects(run: InventoryRun, tally: InventoryTally): Promise<NameSet> {
  const objects = new NameSet();
  for await (const object of run.ports.store.list(exportsRoot(run.scope), { signal: run.signal })) {
    if (object.oddity === undefined) {
      objects.add(objectName(object));
      tally.counts.objects += 1;
    } else {
      tally.leftAlone.note([{ kind: "store-entry", key: object.key, problem: `it ${object.oddity}` }]);
    }
    if (objects.size % 10_000 === 0) {
      run.ports.observe({ kind: "progress", step: "objects", done: objects.size });
    }
  }
  return objects;
}

/** What an inventory has found so far. */
class InventoryTally {
  readonly counts = { ...NOTHING_COUNTED };
  readonly leftAlone = new LeftAloneTally(() => undefined);
  orphans: readonly Orphan[] = [];
  uploads: OpenUploads = { abortedUploads: [], youngUploads: 0 };
  verification: VerificationReport | undefined;
  lastWholeMs: number | undefined;
  readonly #unremoved: Unremoved[] = [];
  readonly #observe: InventoryPorts["observe"];
  readonly #damage: Damage[] = [];

  constructor({ observe }: InventoryPorts) {
    this.#observe = observe;
  }

  addDamage(damage: Damage): void {
    if (this.#damage.some(({ key }) => key === damage.key)) {
      return;
    }
    this.counts.damaged += 1;
    this.#observe({ kind: "damage", damage });
    if (this.#damage.length < MAX_ENTRIES) {
      this.#damage.push(damage);
    }
  }

  addUnremoved({ exportTaskId, revision, key }: CatalogueLine): void {
    if (this.#unremoved.length < MAX_ENTRIES) {
      this.#unremoved.push({ exportTaskId, revision, key });
    }
  }

  report(frame: RunTimes & Pick<InventoryReport, "stopReason" | "failure">): InventoryReport {
    const { counts, orphans, verification, uploads } = this;
    const lastWholeAt = this.lastWholeMs === undefined ? undefined : new Date(this.lastWholeMs).toISOString();
    const found = { damage: this.#damage, orphans, unremoved: this.#unremoved };
    const leftAlone = this.leftAlone.report();
    return {
      ...frame,
      ...compact({ lastWholeAt }),
      counts,
      ...found,
      ...uploads,
      ...compact({ verification, leftAlone }),
    };
  }
}
