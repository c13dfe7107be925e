import { exportsRoot, parseExportObjectKey } from "../domain/key-layout.ts";
import { Catalogue, MonthText, nameOfLine } from "../records/catalogue.ts";
import type { CatalogueLine } from "../records/catalogue-line.ts";
import { type InventoryState, isRecent, readInventoryState } from "../records/inventory-state.ts";
import type { RecordedRevision, RevisionLedger } from "../records/retention-records.ts";
import { type RetentionRun, rotated } from "./run.ts";

type Named = Pick<RecordedRevision, "exportTaskId" | "revision">;

/** One archived revision, as far as it is known before anything is asked about it. */
export interface SeenExport extends Named {
  /** Its line of the catalogue; `undefined` where there is none. */
  readonly line?: CatalogueLine;
  /** The names of its records, where they were listed. */
  readonly recorded?: RecordedRevision;
  /** It has an `expired` record. */
  readonly isExpired: boolean;
  /** Something is wrong with it: its records are read whatever the line says. */
  readonly isDoubtful: boolean;
}

/** What a run of retention knew the archived exports from. */
export interface SeenFrom {
  /** `records`: there was no catalogue of the last 26 hours, so all records were read. */
  readonly source: "catalogue" | "records";
  /** When the inventory began that the catalogue is of; what was archived since then is not looked at. */
  readonly catalogueMadeAt?: string;
}

/** Every archived revision. Those of the catalogue come month by month, so that memory does not grow with the archive. */
export interface SeenExports {
  readonly from: SeenFrom;
  /** About how many there are. */
  readonly total: number;
  /** Throws what the store throws about the catalogue. */
  each(): AsyncIterable<SeenExport> | Iterable<SeenExport>;
}

interface SeeOptions {
  /** Of an expired export: whether its object is still there is known from the inventory, or from a list of all objects. */
  readonly asksForObjects?: boolean;
  /** The oldest month first, for what is shown in order. */
  readonly isInOrder?: boolean;
}

/**
 * Looks for the catalogue of the last inventory. Where it is missing or old, all records are listed, to be read one by
 * one. Unless they are wanted in order, both begin at a random place, so that runs that are always cut short come round to everything.
 * @throws what the store throws.
 */
export async function seeExports(
  run: RetentionRun,
  { asksForObjects = false, isInOrder = false }: SeeOptions = {},
): Promise<SeenExports> {
  const { store, clock, observe } = run.ports;
  const inTurn = <T>(items: readonly T[]) => (isInOrder ? items : rotated(items, run.ports));
  const state = await readInventoryState(store, run.settings.scope, run);
  if (state !== undefined && isRecent(state, clock.wallMs())) {
    return {
      from: { source: "catalogue", catalogueMadeAt: state.startedAt },
      total: state.counts.exports,
      each: () => inCatalogue(run, state, inTurn),
    };
  }
  const message =
    'There is no catalogue of the last 26 hours, so this reads all records. A daily "iotda-archiver inventory" makes one.';
  observe({ kind: "warning", code: "no-catalogue", message });
  const standing = asksForObjects ? await revisionsWithObjects(run) : new Set<string>();
  const revisions = (await run.records.revisions(run)).filter(({ numbers }) => numbers.archived > 0);
  return {
    from: { source: "records" },
    total: revisions.length,
    each: () => inRecords(inTurn(revisions), standing),
  };
}

async function* inCatalogue(
  run: RetentionRun,
  state: InventoryState,
  inTurn: (months: readonly string[]) => readonly string[],
): AsyncGenerator<SeenExport> {
  const { ports, settings } = run;
  const catalogue = new Catalogue(ports.store, settings.scope);
  const doubtful = new Map(
    [...state.damage, ...state.unremoved].map(({ exportTaskId, revision }): [string, Named] => [
      nameOfLine({ exportTaskId, revision }),
      { exportTaskId, revision },
    ]),
  );
  let seen = 0;
  let isSound = state.stopReason === "done";
  for await (const { text } of catalogue.readTexts(inTurn(await catalogue.months(run)), run)) {
    const lines = new MonthText(text);
    for (const line of lines) {
      seen += 1;
      const { exportTaskId, revision, expiredAt } = line;
      const isDoubtful = doubtful.delete(nameOfLine(line));
      yield { exportTaskId, revision, line, isExpired: expiredAt !== undefined, isDoubtful };
    }
    isSound &&= lines.isSound;
  }
  for (const named of doubtful.values()) {
    yield { ...named, isExpired: false, isDoubtful: true };
  }
  if (!isSound || seen < state.counts.exports) {
    const message =
      'The catalogue is not complete, so this run may pass over exports. "iotda-archiver inventory" completes it.';
    ports.observe({ kind: "warning", code: "catalogue-incomplete", message });
  }
}

function* inRecords(
  revisions: readonly RecordedRevision[],
  standing: ReadonlySet<string>,
): Generator<SeenExport> {
  for (const revision of revisions) {
    const named = { exportTaskId: revision.exportTaskId, revision: revision.revision };
    const isExpired = revision.numbers.expired > 0;
    yield {
      ...named,
      recorded: revision,
      isExpired,
      isDoubtful: !isExpired || standing.has(nameOfLine(named)),
    };
  }
}

/** The records as they are now; `undefined` without any. Throws what the store throws. */
export async function readSeen(
  run: RetentionRun,
  { recorded, exportTaskId, revision }: SeenExport,
): Promise<RevisionLedger | undefined> {
  return recorded === undefined
    ? await run.records.readAgain({ exportTaskId, revision }, run)
    : await run.records.read(recorded, run);
}

async function revisionsWithObjects(run: RetentionRun): Promise<ReadonlySet<string>> {
  const { scope } = run.settings;
  const names = new Set<string>();
  for await (const { key, oddity } of run.ports.store.list(exportsRoot(scope), run)) {
    const parsed = parseExportObjectKey(key, scope);
    if (parsed !== undefined && oddity === undefined) {
      names.add(nameOfLine(parsed));
    }
  }
  return names;
}
