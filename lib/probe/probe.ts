import { Pacer } from "../pacing/pacer.ts";
import type { StoreAbilities } from "../ports/object-store.ts";
import { openRun, type RequestsRun } from "../requests/request-ledger.ts";
import { placesForCreate, type RequestSettings } from "../requests/settings.ts";
import { type FreshList, freshList, PLACES_LIMIT, placesHeld } from "../run/platform-list.ts";
import { runTimes, startRun } from "../run/run-frame.ts";
import { askForFiles } from "./downloads.ts";
import { ProbeRefused } from "./errors.ts";
import { type Asked, unasked } from "./evidence.ts";
import { ask, countingLists, Evidence, limited, QUESTION_LIMIT_MS } from "./gathering.ts";
import { makeExport, obstacleInWords, obstacleToExport } from "./make-export.ts";
import type { ProbePorts, ProbeRun } from "./ports.ts";
import { answersOf, type ProbeSheet, shortHash } from "./sheet.ts";

/** Beyond every offset that the platform documents (iotda-api §1.3). */
const BEYOND_LAST_OFFSET = 501;

export interface ProbeOptions {
  /** An export of this batch task is made. Without it none is. */
  readonly batchTaskId: string | undefined;
  /** Aborted by the operator: the probe ends with what it knows. */
  readonly signal: AbortSignal;
}

/**
 * Asks the platform what docs/iotda-api.md marks as unverified: some lists, at most three downloads in slots that all
 * runners share, and at most one export. It deletes nothing; its export is left to be archived as any other.
 *
 * @returns the sheet, also when it was interrupted after its first question.
 * @throws what opening the archive throws, SystemFailure of the first list, ProbeRefused, and the signal's reason before
 *   the first question.
 */
export async function probe(
  given: ProbePorts,
  settings: RequestSettings,
  { batchTaskId, signal }: ProbeOptions,
): Promise<ProbeSheet> {
  const requests = { lists: 0, creates: 0, downloads: 0 };
  const ports = countingLists(given, requests);
  const start = startRun(ports);
  const { runId } = start;
  const { list, pacer } = await limited({ ports, settings, runId, signal }, QUESTION_LIMIT_MS, (first) =>
    prepare(first, batchTaskId),
  );
  const evidence = new Evidence(list);
  const run: ProbeRun = { runId, ports, settings, pacer, evidence, requests, signal };
  let isInterrupted = false;
  try {
    await askAll(run, batchTaskId);
  } catch (thrown) {
    if (!signal.aborted) {
      throw thrown;
    }
    isInterrupted = true;
  }
  return {
    schemaVersion: 1,
    ...runTimes(start, ports.clock),
    project: shortHash(settings.scope.projectId),
    hasInstanceId: settings.scope.instanceId !== undefined,
    requests: { ...requests, deletes: 0 },
    answers: answersOf(evidence, settings.scope),
    left: evidence.left ?? null,
    isInterrupted,
  };
}

/** Everything that must hold before the first question: it changes nothing but the pacing state, and that last. */
async function prepare(
  run: Pick<ProbeRun, "ports" | "settings" | "runId" | "signal">,
  batchTaskId: string | undefined,
): Promise<{ readonly list: FreshList; readonly pacer: Pacer }> {
  const { ports, settings, signal } = run;
  // The archive is opened before anything is asked.
  const abilities = await ports.store.preflight({ signal });
  const list = await freshList(ports, settings, signal);
  refuseManyPlaces(list);
  if (batchTaskId !== undefined) {
    await refuseRiskyExport(openRun(run, run.runId), batchTaskId, list);
  }
  return { list, pacer: await openPacer(run, abilities) };
}

async function askAll(run: ProbeRun, batchTaskId: string | undefined): Promise<void> {
  const { evidence } = run;
  const page = (offset: number) => (limitedRun: ProbeRun) =>
    limitedRun.ports.answers.askForListPage(offset, limitedRun);
  evidence.page = await ask(run, "ListExportTasks", "for the marker of the list", page(0));
  evidence.beyondLastOffset = await ask(
    run,
    "ListExportTasks",
    "for a list with an offset out of range",
    page(BEYOND_LAST_OFFSET),
  );
  evidence.created =
    batchTaskId === undefined
      ? unasked("no batch task was named with `--batch-task`")
      : flat(
          await ask(run, "CreateExportTask", "for an export of the batch task", (limitedRun) =>
            makeExport(limitedRun, batchTaskId),
          ),
        );
  await askForFiles(run);
}

function flat<T>(asked: Asked<Asked<T>>): Asked<T> {
  return asked.kind === "told" ? asked.value : asked;
}

/** Where few slots are free, archive runs need every download slot, and no export may be added. */
function refuseManyPlaces(list: FreshList): void {
  const held = placesHeld(list);
  if (held >= placesForCreate(PLACES_LIMIT)) {
    throw new ProbeRefused(
      "probe-places-held",
      `${held} of ${PLACES_LIMIT} export slots are used, so the probe asks nothing`,
      "Archive first: iotda-archiver run. Then run the probe again.",
    );
  }
}

async function refuseRiskyExport(run: RequestsRun, batchTaskId: string, list: FreshList): Promise<void> {
  const claims = await run.ledger.claimsOf(batchTaskId, run);
  const obstacle = await obstacleToExport(run, batchTaskId, list, claims);
  if (obstacle !== undefined) {
    throw new ProbeRefused(
      "probe-export-refused",
      `the probe asks nothing, because no export of the batch task may be made now: ${obstacleInWords(obstacle)}`,
      "Name another batch task, archive its exports first, or leave --batch-task out: then no export is made.",
    );
  }
}

async function openPacer(
  { ports, settings, runId, signal }: Pick<ProbeRun, "ports" | "settings" | "runId" | "signal">,
  abilities: StoreAbilities,
): Promise<Pacer> {
  const { store, clock, random, observe } = ports;
  if (!abilities.compareAndSwap) {
    observe({ kind: "pace-unshared" });
  }
  const onCorruptState = () => observe({ kind: "pacing-state-corrupt" });
  const intervalMs = settings.downloadIntervalMs;
  return await Pacer.open({ store, abilities, clock, random, runId, intervalMs, onCorruptState }, { signal });
}
