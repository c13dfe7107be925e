import { randomBytes, randomUUID } from "node:crypto";
import type { Agency } from "./agency.ts";
import { Instance, type InstanceOutcome } from "./instance.ts";
import type { FunctionSettings } from "./settings.ts";

/** One invocation and what became of it. */
export interface InvocationView {
  readonly requestId: string;
  /** `discarded`: all instances were busy, and there may be no more. No process saw it. */
  readonly outcome: InstanceOutcome["outcome"] | "discarded";
  /** What the function answered, or why there is no answer. */
  readonly body: string;
  readonly durationMs: number;
}

/** What the destination of failed asynchronous calls gets. */
export interface FailureNotice {
  readonly request_id: string;
  readonly function_urn: string;
  readonly payload: string;
  readonly function_error: string;
}

/** Of the account that a function belongs to; real ones are several KiB long. */
const ACCOUNT_TOKEN = randomBytes(9_000).toString("base64");

/** One function, its instances, and all that happened to it. */
export class DeployedFunction {
  readonly #settings: FunctionSettings;
  readonly #codeFolder: string;
  readonly #agency: Agency;
  readonly #instances: Instance[] = [];
  /** All invocations that are over, in the order of their ends. */
  readonly invocations: InvocationView[] = [];
  /** Asynchronous calls that failed for good. */
  readonly notices: FailureNotice[] = [];
  /** What its processes wrote. */
  log = "";

  constructor(settings: FunctionSettings, codeFolder: string, agency: Agency) {
    this.#settings = settings;
    this.#codeFolder = codeFolder;
    this.#agency = agency;
  }

  /** Every process there was. */
  get instances(): readonly Instance[] {
    return this.#instances;
  }

  /** A timer of it fires; `userEvent` is the trigger's additional information. Resolves when nothing more comes of it. */
  async fireTimer(userEvent = ""): Promise<InvocationView> {
    return await this.#callAsynchronously(
      JSON.stringify({
        version: "v1.0",
        time: new Date().toISOString(),
        trigger_type: "TIMER",
        trigger_name: `${this.#settings.name}-timer`,
        user_event: userEvent,
      }),
    );
  }

  /** Data forwarding of IoTDA tells it of a batch task: the push as it is (iotda-api §6). */
  async forwardBatchTask({
    taskId,
    status = "Success",
  }: {
    taskId: string;
    status?: string;
  }): Promise<InvocationView> {
    const iso = new Date().toISOString();
    return await this.#callAsynchronously(
      JSON.stringify({
        resource: "batchtask",
        event: "update",
        event_time: `${iso.slice(0, 19).replaceAll(/[-:]/g, "")}Z`,
        event_time_ms: iso,
        request_id: randomUUID(),
        notify_data: {
          body: {
            app_id: "sandbox-app",
            task_id: taskId,
            task_type: "softwareUpgrade",
            status,
            status_desc: "",
          },
        },
      }),
    );
  }

  /** Somebody calls it and waits: a test event of the console. */
  async test(event: string): Promise<InvocationView> {
    return await this.#invoke(event, "sync");
  }

  /** Kills the processes that are at work. @returns how many. */
  async killBusy(): Promise<number> {
    const busy = this.#instances.filter(({ isAlive, isBusy }) => isAlive && isBusy);
    await Promise.all(busy.map((instance) => instance.kill()));
    return busy.length;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#instances.filter(({ isAlive }) => isAlive).map((instance) => instance.kill()));
  }

  async #callAsynchronously(payload: string): Promise<InvocationView> {
    for (let retriesLeft = this.#settings.retries; ; retriesLeft -= 1) {
      const view = await this.#invoke(payload, "async");
      if (view.outcome === "succeeded") {
        return view;
      }
      if (retriesLeft === 0 || view.outcome === "discarded") {
        this.notices.push({
          request_id: view.requestId,
          function_urn: `urn:fss:cn-north-4:0123456789abcdef0123456789abcdef:function:default:${this.#settings.name}:latest`,
          payload,
          function_error: view.body,
        });
        return view;
      }
    }
  }

  async #invoke(body: string, invokeType: "sync" | "async"): Promise<InvocationView> {
    const requestId = randomUUID();
    const startedAtMs = performance.now();
    const ended = await this.#run(requestId, body, invokeType);
    const view = { requestId, ...ended, durationMs: performance.now() - startedAtMs };
    this.invocations.push(view);
    return view;
  }

  async #run(
    requestId: string,
    body: string,
    invokeType: string,
  ): Promise<Pick<InvocationView, "outcome" | "body">> {
    const living = this.#instances.filter(({ isAlive }) => isAlive);
    const { maxInstances, hasAgency } = this.#settings;
    let instance = living.find(({ isBusy }) => !isBusy);
    if (instance === undefined && maxInstances !== -1 && living.length >= maxInstances) {
      return { outcome: "discarded", body: "there are as many instances as there may be" };
    }
    if (instance === undefined) {
      instance = new Instance(this.#settings, this.#codeFolder, (text) => {
        this.log += text;
      });
      this.#instances.push(instance);
    }
    instance.isBusy = true;
    const headers = {
      "X-Cff-Request-Id": requestId,
      "X-CFF-Invoke-Type": invokeType,
      ...(hasAgency ? await this.#headersOfAgency() : {}),
    };
    try {
      return await instance.run({ requestId, headers, body });
    } finally {
      instance.isBusy = false;
    }
  }

  async #headersOfAgency(): Promise<Readonly<Record<string, string>>> {
    const { accessKeyId, secretAccessKey, securityToken } = await this.#agency.current();
    return {
      "X-CFF-Access-Key": accessKeyId,
      "X-CFF-Secret-Key": secretAccessKey,
      "X-CFF-Security-Token": securityToken,
      "X-CFF-Auth-Token": ACCOUNT_TOKEN,
    };
  }
}
