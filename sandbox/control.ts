import * as v from "valibot";
import { type Answer, errorAnswer, jsonAnswer } from "./answer.ts";
import { batchPushSchema, pushBatchTask } from "./batch-push.ts";
import { CONTROL_PREFIX, type ServedBody, type StateView, type TaskView } from "./control-protocol.ts";
import { faultRuleSchema } from "./faults.ts";
import type { PlatformParts } from "./operations.ts";
import type { RequestLog } from "./request-log.ts";
import { settingsPatchSchema } from "./settings.ts";
import { overwriteSchema, type StoredTask, statusAt, taskPatchSchema, taskSpecSchema } from "./task.ts";

/** What the control works on. */
export interface ControlParts extends PlatformParts {
  readonly log: RequestLog;
}

const removalSchema = v.strictObject({ reason: v.optional(v.picklist(["control", "evicted"]), "control") });

/** Answers a request below {@link CONTROL_PREFIX}; `url` is the path and query as sent. */
export async function answerControl(
  parts: ControlParts,
  method: string,
  url: string,
  body: Buffer,
): Promise<Answer> {
  const { pathname, searchParams } = new URL(url, "http://sandbox");
  const [resource, exportTaskId, action] = pathname.slice(CONTROL_PREFIX.length + 1).split("/");
  const input = parseBody(body);
  if (!input.success) {
    return errorAnswer(400, "SANDBOX.json", "the body is not JSON");
  }
  try {
    switch (`${method} ${resource}${exportTaskId === undefined ? "" : "/:id"}${action ? `/${action}` : ""}`) {
      case "POST tasks":
        return await addTasks(parts, input.output);
      case "POST tasks/:id/overwrite": {
        const change = v.parse(overwriteSchema, input.output ?? {});
        return taskAnswer(parts, await parts.model.overwrite(exportTaskId ?? "", change));
      }
      case "PATCH tasks/:id":
        return taskAnswer(
          parts,
          await parts.model.patch(exportTaskId ?? "", v.parse(taskPatchSchema, input.output)),
        );
      case "DELETE tasks/:id": {
        const { reason } = v.parse(removalSchema, Object.fromEntries(searchParams));
        return jsonAnswer(200, { removed: await parts.model.remove(exportTaskId ?? "", reason) });
      }
      case "POST pushes":
        return jsonAnswer(200, await pushBatchTask(v.parse(batchPushSchema, input.output)));
      case "POST faults": {
        const rules = v.parse(v.array(faultRuleSchema), asArray(input.output));
        parts.state.commit(...rules.map((rule) => ({ type: "fault-scripted", rule }) as const));
        return jsonAnswer(200, { scripted: rules.length });
      }
      case "DELETE faults":
        parts.state.commit({ type: "faults-cleared" });
        return jsonAnswer(200, {});
      case "PATCH settings":
        parts.state.commit({ type: "settings-changed", patch: v.parse(settingsPatchSchema, input.output) });
        return jsonAnswer(200, {});
      case "GET requests":
        return jsonAnswer(200, parts.log.read(Number(searchParams.get("after") ?? 0)));
      case "GET state":
        return jsonAnswer(200, stateView(parts));
      default:
        return errorAnswer(404, "SANDBOX.unknown", "no such control");
    }
  } catch (thrown) {
    if (v.isValiError(thrown)) {
      return errorAnswer(400, "SANDBOX.input", describeIssues(thrown.issues));
    }
    throw thrown;
  }
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

function servedBodies(log: RequestLog): ServedBody[] {
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

function parseBody(body: Buffer): { success: true; output: unknown } | { success: false } {
  if (body.length === 0) {
    return { success: true, output: undefined };
  }
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson()), body.toString("utf8"));
  return parsed.success ? { success: true, output: parsed.output } : { success: false };
}

function asArray(input: unknown): unknown[] {
  return Array.isArray(input) ? input : [input];
}

/** Every issue with its place, so that a typo in a script or a configuration is found at once. */
export function describeIssues(issues: readonly v.BaseIssue<unknown>[]): string {
  return issues.map((issue) => `${v.getDotPath(issue) ?? "input"}: ${issue.message}`).join("; ");
}
