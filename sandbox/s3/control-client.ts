import { createHash } from "node:crypto";
import { ControlClient } from "../kit/control-client.ts";
import {
  CONTROL_PREFIX,
  type S3Interference,
  type S3LogEntry,
  type S3StateView,
} from "./control-protocol.ts";
import type { S3FaultRuleInput } from "./faults.ts";
import type { S3SettingsInput } from "./settings.ts";

/** Drives a running stand-in. A bucket that a change of settings leaves out is gone for clients, its content is not. */
export class S3Control extends ControlClient<S3FaultRuleInput, S3SettingsInput, S3LogEntry, S3StateView> {
  constructor(endpoint: string) {
    super(endpoint, CONTROL_PREFIX);
  }

  async clearRequests(): Promise<void> {
    await this.call("DELETE", "/requests");
  }

  /** Something done behind the back of clients. @returns whether there was something to do it to. */
  async interfere(what: S3Interference): Promise<boolean> {
    return (await this.call<{ done: boolean }>("POST", "/interference", what)).done;
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
    const { body } = await this.send("GET", `/content?${query}`);
    return body ?? new ReadableStream();
  }
}
