import * as v from "valibot";
import { batchPushSchema, pushBatchTask } from "./batch-push.ts";
import {
  CONTROL_PREFIX,
  type PlatformRequestDetails,
  type ServedBody,
  type StateView,
  type TaskView,
} from "./control-protocol.ts";
import { errorAnswer } from "./errors.ts";
import { faultRuleSchema } from "./faults.ts";
import { type Answer, jsonAnswer } from "./kit/answer.ts";
import { asArray, type Control, commonActions } from "./kit/control.ts";
import type { RequestLog } from "./kit/request-log.ts";
import type { PlatformParts } from "./operations.ts";
import { settingsPatchSchema } from "./settings.ts";
import { overwriteSchema, type StoredTask, statusAt, taskPatchSchema, taskSpecSchema } from "./task.ts";

/** What the control works on. */
export interface ControlParts extends PlatformParts {
  readonly log: RequestLog<PlatformRequestDetails>;
}

const removalSchema = v.strictObject({ reason: v.optional(v.picklist(["control", "evicted"]), "control") });

export function controlOf(parts: ControlParts): Control {
  const { state, model, log } = parts;
  return {
    prefix: CONTROL_PREFIX,
    refusal: (status, code, message) => errorAnswer(status, `SANDBOX.${code}`, message),
    actions: {
      ...commonActions({
        faultRuleSchema,
        addFaults: (rules) =>
          state.commit(...rules.map((rule) => ({ type: "fault-scripted", rule }) as const)),
        clearFaults: () => state.commit({ type: "faults-cleared" }),
        settingsPatchSchema,
        changeSettings: (patch) => state.commit({ type: "settings-changed", patch }),
        log,
        state: () => stateView(parts),
      }),
      "POST tasks": ({ input }) => addTasks(parts, input),
      "POST tasks/:id/overwrite": async ({ id, input }) =>
        taskAnswer(parts, await model.overwrite(id, v.parse(overwriteSchema, input ?? {}))),
      "PATCH tasks/:id": async ({ id, input }) =>
        taskAnswer(parts, await model.patch(id, v.parse(taskPatchSchema, input))),
      "DELETE tasks/:id": async ({ id, query }) => {
        const { reason } = v.parse(removalSchema, Object.fromEntries(query));
        return jsonAnswer(200, { removed: await model.remove(id, reason) });
      },
      "POST pushes": async ({ input }) =>
        jsonAnswer(200, await pushBatchTask(v.parse(batchPushSchema, input))),
    },
  };
}

async function addTasks(parts: ControlParts, input: unknown): Promise<Answer> {
  const added: TaskView[] = [];
  for (const spec of v.parse(v.array(taskSpecSchema), asArray(input))) {
    added.push(viewOf(parts, await parts.model.add(spec)));
  }
  return jsonAnswer(200, added);
}

function taskAnswer(parts: ControlParts, task: StoredTask | undefined): Answer {
  return task === undefined
    ? errorAnswer(404, "SANDBOX.task", "no such task")
    : jsonAnswer(200, viewOf(parts, task));
}

function viewOf({ state, model }: ControlParts, task: StoredTask): TaskView {
  const { exportTaskId, generation, createTime, endTime, exportCount, condition } = task;
  const file = state.files.findLast(
    (made) => made.exportTaskId === exportTaskId && made.generation === generation,
  );
  const status = statusAt(task, model.platformMs());
  const { sizeBytes = 0, sha256 = "" } = file ?? {};
  return { exportTaskId, generation, sizeBytes, sha256, status, createTime, endTime, exportCount, condition };
}

function stateView(parts: ControlParts): StateView {
  const { files, removals, faults, lastDownloadMs } = parts.state;
  const tasks = parts.state.newestFirst().map((task) => viewOf(parts, task));
  return { tasks, files, removals, served: servedBodies(parts.log), faults, lastDownloadMs };
}

function servedBodies(log: ControlParts["log"]): ServedBody[] {
  return log.read().flatMap((entry) => {
    const { n, exportTaskId, generation, bytesSent, sha256, outcome } = entry;
    return exportTaskId !== undefined &&
      generation !== undefined &&
      bytesSent !== undefined &&
      sha256 !== undefined
      ? [{ n, exportTaskId, generation, bytesSent, sha256, outcome }]
      : [];
  });
}
