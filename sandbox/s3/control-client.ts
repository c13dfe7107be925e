import { createHash } from "node:crypto";
import { CONTROL_PREFIX, type S3Interference, type S3StateView } from "./control-protocol.ts";
import type { S3FaultRuleInput } from "./faults.ts";
import type { S3LogEntry } from "./request-log.ts";
import type { S3SettingsInput } from "./settings.ts";

/** The stand-in refused a control request: the test is wrong. */
export class S3ControlError extends Error {
  override readonly name = "S3ControlError";
}

/** Drives a running stand-in over HTTP. Every call throws {@link S3ControlError} when it is refused. */
export class S3Control {
  readonly #base: string;

  /** @param endpoint as the stand-in gave it, e.g. `http://127.0.0.1:8080`. */
  constructor(endpoint: string) {
    this.#base = `${endpoint}${CONTROL_PREFIX}`;
  }

  /** Adds fault rules behind those there are. */
  async scriptFaults(...rules: readonly S3FaultRuleInput[]): Promise<void> {
    await this.#call("POST", "/faults", rules);
  }

  async clearFaults(): Promise<void> {
    await this.#call("DELETE", "/faults");
  }

  /** Only the named settings change. A bucket that is left out is gone for clients, its content is not. */
  async changeSettings(patch: S3SettingsInput): Promise<void> {
    await this.#call("PATCH", "/settings", patch);
  }

  /** @param after only requests with a greater `n`. */
  async requests(after = 0): Promise<S3LogEntry[]> {
    return await this.#call<S3LogEntry[]>("GET", `/requests?after=${after}`);
  }

  async clearRequests(): Promise<void> {
    await this.#call("DELETE", "/requests");
  }

  /** What the store holds, and how far the fault rules are. */
  async state(): Promise<S3StateView> {
    return await this.#call<S3StateView>("GET", "/state");
  }

  /** Something done behind the back of clients. @returns whether there was something to do it to. */
  async interfere(what: S3Interference): Promise<boolean> {
    return (await this.#call<{ done: boolean }>("POST", "/interference", what)).done;
  }

  /** The current bytes of an object as they are stored, past every rule and fault. */
  async content(key: string, bucket?: string): Promise<Buffer> {
    return Buffer.from(await new Response(await this.#contentOf(key, bucket)).arrayBuffer());
  }

  /** Lowercase hex over the current bytes of an object, of any size. */
  async sha256(key: string, bucket?: string): Promise<string> {
    const hash = createHash("sha256");
    for await (const chunk of await this.#contentOf(key, bucket)) {
      hash.update(chunk);
    }
    return hash.digest("hex");
  }

  async #contentOf(key: string, bucket: string | undefined): Promise<ReadableStream<Uint8Array>> {
    const query = new URLSearchParams({ key, ...(bucket === undefined ? {} : { bucket }) });
    const response = await fetch(`${this.#base}/content?${query}`);
    if (!response.ok || response.body === null) {
      throw new S3ControlError(`the S3 stand-in has no content of ${key}: ${await response.text()}`);
    }
    return response.body;
  }

  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(`${this.#base}${path}`, { method, ...sent });
    const text = await response.text();
    if (!response.ok) {
      throw new S3ControlError(`the S3 stand-in refused ${method} ${path}: ${text}`);
    }
    return JSON.parse(text) as T;
  }
}
