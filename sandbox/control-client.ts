import type { BatchPush, PushAnswer } from "./batch-push.ts";
import { CONTROL_PREFIX, type RequestLogEntry, type StateView, type TaskView } from "./control-protocol.ts";
import type { FaultRuleInput } from "./faults.ts";
import { ControlClient, ControlError } from "./kit/control-client.ts";
import type { SettingsInput } from "./settings.ts";
import type { OverwriteInput, TaskPatch, TaskSpecInput } from "./task.ts";

/** Drives a running sandbox. Every call throws {@link ControlError} when it is refused. */
export class SandboxControl extends ControlClient<FaultRuleInput, SettingsInput, RequestLogEntry, StateView> {
  constructor(endpoint: string) {
    super(endpoint, CONTROL_PREFIX);
  }

  /** Puts tasks on the platform, the first one oldest; an id that exists is replaced, the oldest make room. */
  async addTasks(specs: readonly TaskSpecInput[]): Promise<TaskView[]> {
    return await this.call<TaskView[]>("POST", "/tasks", specs);
  }

  async addTask(spec: TaskSpecInput = {}): Promise<TaskView> {
    const [task] = await this.addTasks([spec]);
    if (task === undefined) {
      throw new ControlError(500, "the sandbox answered with no task");
    }
    return task;
  }

  /** Makes the task's file again under the same id: another content, end time and count. */
  async overwriteTask(exportTaskId: string, change: OverwriteInput = {}): Promise<TaskView> {
    return await this.call<TaskView>("POST", `/tasks/${exportTaskId}/overwrite`, change);
  }

  /** Changes what lists show; the file stays. */
  async patchTask(exportTaskId: string, patch: TaskPatch): Promise<TaskView> {
    return await this.call<TaskView>("PATCH", `/tasks/${exportTaskId}`, patch);
  }

  /** Removes a task behind the client's back. @returns whether it was there. */
  async removeTask(exportTaskId: string, reason: "control" | "evicted" = "control"): Promise<boolean> {
    const path = `/tasks/${exportTaskId}?reason=${reason}`;
    return (await this.call<{ removed: boolean }>("DELETE", path)).removed;
  }

  /** Pushes a batch task's status to a receiver, as data forwarding does. @returns what it was answered. */
  async pushBatchTask(push: BatchPush): Promise<PushAnswer> {
    return await this.call<PushAnswer>("POST", "/pushes", push);
  }
}
