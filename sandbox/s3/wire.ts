import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Bytes } from "../answer.ts";

/** A request body as it comes over the wire: counted, hashed, and read only when somebody asks. */
export class WireBody {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #expectsContinue: boolean;
  readonly #hash = createHash("sha256");
  readonly #hashed: boolean;
  #started = false;
  #bytes = 0;

  /** @param expectsContinue the client holds the body back until it is told to send it. */
  constructor(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean, hashed: boolean) {
    this.#request = request;
    this.#response = response;
    this.#expectsContinue = expectsContinue;
    this.#hashed = hashed;
  }

  get read(): { readonly bodyBytes: number; readonly bodySha256?: string } {
    const hash = this.#hashed ? { bodySha256: this.#hash.copy().digest("hex") } : {};
    return { bodyBytes: this.#bytes, ...hash };
  }

  async *bytes(): Bytes {
    this.#started = true;
    if (this.#expectsContinue) {
      this.#response.writeContinue();
    }
    // A consumer that stops early must not destroy the connection: the rest is drained, and an answer sent.
    for await (const chunk of this.#request.iterator({ destroyOnReturn: false }) as Bytes) {
      this.#bytes += chunk.length;
      if (this.#hashed) {
        this.#hash.update(chunk);
      }
      yield chunk;
    }
  }

  /**
   * Reads what is left, so that an early answer is not lost in a reset. A client that waits to be told to
   * send is not told: the connection closes after the answer.
   */
  async drain(): Promise<void> {
    if (this.#expectsContinue && !this.#started) {
      this.#response.shouldKeepAlive = false;
      return;
    }
    if (this.#request.readableEnded || this.#request.destroyed) {
      return;
    }
    for await (const chunk of this.#request.iterator({ destroyOnReturn: false }) as Bytes) {
      this.#bytes += chunk.length;
      if (this.#hashed) {
        this.#hash.update(chunk);
      }
    }
  }
}
