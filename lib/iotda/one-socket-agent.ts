import { once } from "node:events";
import { Agent } from "node:http";
import type { Socket } from "node:net";

/**
 * Sends requests one after the other on a socket that was connected before, for as long as the other side keeps
 * it open. Opens none itself: whether a request goes out twice is never Node's decision.
 */
export class OneSocketAgent extends Agent {
  #socket: Socket | undefined;
  #isClosed = false;

  constructor() {
    super({ keepAlive: true, maxSockets: 1 });
  }

  /** Whether a request can be sent without connecting first. */
  get isOpen(): boolean {
    return this.#socket?.writable === true;
  }

  /** Takes over the socket of the next requests. */
  use(socket: Socket): void {
    this.#socket = socket;
    if (this.#isClosed) {
      socket.destroy();
    }
  }

  /** Called by Node when a request finds no socket waiting. */
  override createConnection(): Socket | undefined {
    return this.#socket;
  }

  /** Destroys the socket, and one that may still come; resolves when the former is closed. */
  async close(): Promise<void> {
    const socket = this.#socket;
    this.#isClosed = true;
    this.destroy();
    if (socket !== undefined && !socket.closed) {
      socket.destroy();
      await once(socket, "close");
    }
  }
}
