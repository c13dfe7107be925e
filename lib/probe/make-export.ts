import type { ExportTask } from "../domain/export-task.ts";
import { compactTime } from "../domain/request-layout.ts";
import type { CreateExportTaskRequest, TimedCallOptions } from "../ports/platform.ts";
import { exportNotIn, isExportOf, isOwnKindOfExport, seenOf } from "../requests/batch-exports.ts";
import { createExport, effectOfCreate } from "../requests/create-export.ts";
import { obstacleTo, type WaitReason } from "../requests/decide.ts";
import type { Standing } from "../requests/report.ts";
import { type Claim, openRun, type RequestsRun } from "../requests/request-ledger.ts";
import { CLAIM_PATIENCE_MS } from "../requests/settings.ts";
import { WAIT_WORDS } from "../requests/wait-words.ts";
import { type FreshList, taskIn } from "../run/platform-list.ts";
import { type Asked, type CreatedExport, outcomeOf, unasked } from "./evidence.ts";
import { listAgain } from "./gathering.ts";
import type { ProbeRun } from "./ports.ts";

/** Why no export of a batch task may be made now. */
export type ExportObstacle = WaitReason | "hold";

/** An obstacle for a person; no whole sentence. */
export function obstacleInWords(obstacle: ExportObstacle): string {
  return obstacle === "hold" ? "an export of the same batch task is held" : WAIT_WORDS[obstacle];
}

/**
 * Looks for what an export of this batch task would put at risk: the rules of export requests, and holds. Changes
 * nothing. @throws what the store throws.
 */
export async function obstacleToExport(
  run: RequestsRun,
  batchTaskId: string,
  list: FreshList,
  claims: readonly Claim[],
): Promise<ExportObstacle | undefined> {
  const isUnderWay = claims.some(
    ({ claim, result }) =>
      result === undefined && list.platformMs - Date.parse(claim.claimedAt) < CLAIM_PATIENCE_MS,
  );
  if (isUnderWay) {
    return "claimed";
  }
  const obstacle = await obstacleTo(run, batchTaskId, list);
  if (obstacle !== undefined) {
    return obstacle;
  }
  // A create may overwrite the file of an earlier export, or take its task away.
  const holds = await run.records.holds(run);
  const isHeld = list.tasks.some((task) => isExportOf(task, batchTaskId) && holds.isHeld(task.exportTaskId));
  return isHeld ? "hold" : undefined;
}

/**
 * Has the platform make the probe's one export, under the same claim as an export request: two probes, or a probe and a
 * discover run, make one export of a batch task between them.
 *
 * @throws what list and store throw, and the signal's reason.
 */
export async function makeExport(run: ProbeRun, batchTaskId: string): Promise<Asked<CreatedExport>> {
  const before = await listAgain(run);
  const watch = new CreateWatch(run, batchTaskId);
  const requests = openRun(
    {
      ports: { ...run.ports, platform: watch },
      settings: run.settings,
      signal: run.signal,
    },
    run.runId,
  );
  // Read once: a claim that another program makes after this look takes the number that ours would have.
  const claims = await requests.ledger.claimsOf(batchTaskId, requests);
  const obstacle = await obstacleToExport(requests, batchTaskId, before, claims);
  if (obstacle !== undefined) {
    return unasked(obstacleInWords(obstacle));
  }
  const subject = { batchTaskId, statusTime: compactTime(before.platformMs) };
  let failure: Asked<never> | undefined;
  try {
    const standing = await createExport(requests, subject, claims, before);
    if (standing.kind !== "created") {
      return unasked(whyNotCreated(standing));
    }
  } catch (error) {
    run.signal.throwIfAborted();
    run.evidence.noteThrottling("CreateExportTask", error);
    failure = outcomeOf(error);
  }
  if (run.evidence.left === undefined) {
    return failure ?? unasked("no export was created");
  }
  // Also where the answer was lost: the list shows whether an export was made.
  const after = await listAgain(run);
  const made =
    watch.created?.exportTaskId ??
    exportNotIn({ seen: seenOf(batchTaskId, before.tasks) }, batchTaskId, after.tasks)?.exportTaskId;
  if (made === undefined) {
    return failure ?? unasked("no export was created");
  }
  run.evidence.left = { kind: "export", exportTaskId: made };
  const earlierIds = before.tasks
    .filter((task) => isOwnKindOfExport(task, batchTaskId))
    .map(({ exportTaskId }) => exportTaskId);
  const stillListedIds = earlierIds.filter((id) => taskIn(after, id) !== undefined);
  const { created: answered } = watch;
  const { platformMs } = before;
  return {
    kind: "told",
    value: {
      exportTaskId: made,
      answered,
      listed: taskIn(after, made),
      earlierIds,
      stillListedIds,
      platformMs,
    },
  };
}

function whyNotCreated(standing: Exclude<Standing, { kind: "created" }>): string {
  return standing.kind === "waiting"
    ? (Object.entries(WAIT_WORDS).find(([reason]) => reason === standing.reason)?.[1] ?? standing.reason)
    : "another program made an export of the batch task just now";
}

/** Sees the create: whether it was sent, and what came back. */
class CreateWatch {
  readonly #run: ProbeRun;
  readonly #batchTaskId: string;
  created: ExportTask | undefined;

  constructor(run: ProbeRun, batchTaskId: string) {
    this.#run = run;
    this.#batchTaskId = batchTaskId;
  }

  readonly listExportTasks = (options: TimedCallOptions) => this.#run.ports.platform.listExportTasks(options);

  readonly createExportTask = async (
    request: CreateExportTaskRequest,
    { signal, beforeRequest }: TimedCallOptions,
  ): Promise<ExportTask> => {
    const run = this.#run;
    try {
      this.created = await run.ports.platform.createExportTask(request, {
        signal,
        beforeRequest: async () => {
          await beforeRequest?.();
          run.requests.creates += 1;
          run.evidence.left = { kind: "perhaps", batchTaskId: this.#batchTaskId };
        },
      });
    } catch (error) {
      if (!signal.aborted && effectOfCreate(error) !== "perhaps-made") {
        run.evidence.left = undefined;
      }
      throw error;
    }
    run.evidence.left = { kind: "export", exportTaskId: this.created.exportTaskId };
    run.evidence.noteTasks([this.created]);
    return this.created;
  };
}
