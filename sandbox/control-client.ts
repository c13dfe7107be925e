import type { BatchPush, PushAnswer } from "./batch-push.ts";
import { CONTROL_PREFIX, type StateView, type TaskView } from "./control-protocol.ts";
import type { FaultRuleInput } from "./faults.ts";
import type { RequestLogEntry } from "./request-log.ts";
import type { SettingsInput } from "./settings.ts";
import type { OverwriteInput, TaskPatch, TaskSpecInput } from "./task.ts";

/** The sandbox refused a control request: the script or test is wrong. */
export class SandboxControlError extends Error {
  override readonly name = "SandboxControlError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Drives a running sandbox over HTTP. Every call throws {@link SandboxControlError} when it is refused. */
export class SandboxControl {
  readonly #base: string;

  /** @param endpoint as the sandbox printed it, e.g. `http://127.0.0.1:8080`. */
  constructor(endpoint: string) {
    this.#base = `${endpoint}${CONTROL_PREFIX}`;
  }

  /** Puts tasks on the platform, the first one oldest; an id that exists is replaced, the oldest make room. */
  async addTasks(specs: readonly TaskSpecInput[]): Promise<TaskView[]> {
    return await this.#call<TaskView[]>("POST", "/tasks", specs);
  }

  async addTask(spec: TaskSpecInput = {}): Promise<TaskView> {
    const [task] = await this.addTasks([spec]);
    if (task === undefined) {
      throw new SandboxControlError(500, "the sandbox answered with no task");
    }
    return task;
  }

  /** Makes the task's file again under the same id: another content, end time and count. */
  async overwriteTask(exportTaskId: string, change: OverwriteInput = {}): Promise<TaskView> {
    return await this.#call<TaskView>("POST", `/tasks/${exportTaskId}/overwrite`, change);
  }

  /** Changes what lists show; the file stays. */
  async patchTask(exportTaskId: string, patch: TaskPatch): Promise<TaskView> {
    return await this.#call<TaskView>("PATCH", `/tasks/${exportTaskId}`, patch);
  }

  /** Removes a task behind the client's back. @returns whether it was there. */
  async removeTask(exportTaskId: string, reason: "control" | "evicted" = "control"): Promise<boolean> {
    const path = `/tasks/${exportTaskId}?reason=${reason}`;
    return (await this.#call<{ removed: boolean }>("DELETE", path)).removed;
  }

  /** Pushes a batch task's status to a receiver, as data forwarding does. @returns what it was answered. */
  async pushBatchTask(push: BatchPush): Promise<PushAnswer> {
    return await this.#call<PushAnswer>("POST", "/pushes", push);
  }

  /** Adds fault rules behind those there are. */
  async scriptFaults(...rules: readonly FaultRuleInput[]): Promise<void> {
    await this.#call("POST", "/faults", rules);
  }

  async clearFaults(): Promise<void> {
    await this.#call("DELETE", "/faults");
  }

  async changeSettings(patch: SettingsInput): Promise<void> {
    await this.#call("PATCH", "/settings", patch);
  }

  /** @param after only requests with a greater `n`. */
  async requests(after = 0): Promise<RequestLogEntry[]> {
    return await this.#call<RequestLogEntry[]>("GET", `/requests?after=${after}`);
  }

  async state(): Promise<StateView> {
    return await this.#call<StateView>("GET", "/state");
  }

  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(`${this.#base}${path}`, { method, ...sent });
    const text = await response.text();
    if (!response.ok) {
      throw new SandboxControlError(response.status, `the sandbox refused ${method} ${path}: ${text}`);
    }
    return JSON.parse(text) as T;
  }
}
