import { createHash } from "node:crypto";
import type { Bytes } from "../kit/answer.ts";
import type { Incoming } from "../kit/server.ts";

/** A request body as it comes over the wire: counted, hashed, and read only when it is asked for. */
export class WireBody {
  readonly #incoming: Incoming;
  readonly #hash = createHash("sha256");
  readonly #hashed: boolean;
  #started = false;
  #bytes = 0;

  constructor(incoming: Incoming, hashed: boolean) {
    this.#incoming = incoming;
    this.#hashed = hashed;
  }

  get read(): { readonly bodyBytes: number; readonly bodySha256?: string } {
    const hash = this.#hashed ? { bodySha256: this.#hash.copy().digest("hex") } : {};
    return { bodyBytes: this.#bytes, ...hash };
  }

  async *bytes(): Bytes {
    this.#started = true;
    if (this.#incoming.expectsContinue) {
      this.#incoming.response.writeContinue();
    }
    yield* this.#rest();
  }

  /**
   * Reads what is left, so that an early answer is not lost in a reset. A client that waits to be told to
   * send is not told: the connection closes after the answer.
   */
  async drain(): Promise<void> {
    const { request, response, expectsContinue } = this.#incoming;
    if (expectsContinue && !this.#started) {
      response.shouldKeepAlive = false;
    } else if (!request.readableEnded && !request.destroyed) {
      for await (const _chunk of this.#rest()) {
        // Only counted and hashed.
      }
    }
  }

  async *#rest(): Bytes {
    // A consumer that stops early must not destroy the connection: the rest is drained, and an answer sent.
    for await (const chunk of this.#incoming.request.iterator({ destroyOnReturn: false }) as Bytes) {
      this.#bytes += chunk.length;
      if (this.#hashed) {
        this.#hash.update(chunk);
      }
      yield chunk;
    }
  }
}
