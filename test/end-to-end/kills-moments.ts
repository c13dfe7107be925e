import { setTimeout as sleep } from "node:timers/promises";
import type { RequestLogEntry } from "../../sandbox/start.ts";
import type { SeededRandom } from "../world/seeded-random.ts";
import type { AuditedLab } from "./archive-audit.ts";
import type { Running } from "./command-line.ts";

/** A moment to kill at: comes true at some point of the run, or the run ends before. */
export type Moment = (running: Running, lab: AuditedLab) => Promise<boolean>;

const afterMs =
  (ms: number): Moment =>
  async (running) => {
    await sleep(ms);
    return !running.isOver;
  };

/** When a list has something that was not in it at first, and so long after that. */
const whenNew =
  (list: (lab: AuditedLab) => Promise<readonly string[]>, waitMs: number): Moment =>
  async (running, lab) => {
    const before = new Set(await list(lab));
    const came = await running.until(async () => (await list(lab)).some((entry) => !before.has(entry)));
    await sleep(waitMs);
    return came && !running.isOver;
  };

/** Requests of an operation as their places in the platform's log; of one outcome where it is given. */
export async function requestsOf(
  { control }: AuditedLab,
  operation: string,
  outcome?: RequestLogEntry["outcome"],
): Promise<readonly string[]> {
  return [...(await control.requests()).entries()]
    .filter(([, request]) => request.operation === operation)
    .filter(([, request]) => outcome === undefined || request.outcome === outcome)
    .map(([index]) => String(index));
}

/** Each kind once, in any order, with random waits: every step of the protocol has its kill. */
export function drawMoments(random: SeededRandom): readonly Moment[] {
  return random.shuffled<Moment>([
    afterMs(random.integer(150, 1_150)),
    // In the middle of a body: the platform is sending, and the process has had some of it.
    whenNew((lab) => requestsOf(lab, "showExportTask", "pending"), random.integer(0, 250)),
    // A part, or the beginning of a file, is stored.
    whenNew(({ store }) => store.unfinished(), random.integer(0, 100)),
    // The copy is complete; its record, the gate and the delete follow within milliseconds.
    whenNew(({ store }) => copies(store), random.integer(0, 10)),
    // The record stands, the delete is on its way.
    whenNew(({ store }) => archivedRecords(store), random.integer(0, 10)),
    // The delete was asked for; its confirmation, record and acknowledgement are missing.
    whenNew((lab) => requestsOf(lab, "deleteExportTask"), random.integer(0, 10)),
  ]);
}

type Store = AuditedLab["store"];

async function copies(store: Store): Promise<readonly string[]> {
  return (await store.keys("exports/")).filter((key) => key.endsWith(".zip"));
}

async function archivedRecords(store: Store): Promise<readonly string[]> {
  return (await store.keys("records/")).filter((key) => key.endsWith("/archived.json"));
}

/** How many exports have a complete copy but not their last record: a kill came in between. */
export async function halfDoneCount({ store }: AuditedLab): Promise<number> {
  const taskIdsOf = (keys: readonly string[]) => keys.map((key) => /export-\d+/.exec(key)?.[0] ?? key);
  const finished = (await store.keys("records/")).filter((key) => key.endsWith("/deleted.json"));
  return new Set(taskIdsOf(await copies(store))).difference(new Set(taskIdsOf(finished))).size;
}
