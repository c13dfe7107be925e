import { ArchiverError } from "../domain/errors.ts";
import type { ReceivedMessage } from "../ports/task-queue.ts";
import type { ArchivePorts } from "./ports.ts";

/**
 * Keeps a received message invisible to others by renewing its visibility timeout at a third of it, until
 * released. A lease that is lost all the same does no harm: another runner does the same work, and the
 * records decide who wins.
 */
export class Lease {
  readonly #released = new AbortController();
  readonly #renewing: Promise<void>;

  constructor(ports: Pick<ArchivePorts, "queue" | "clock" | "observe">, received: ReceivedMessage) {
    this.#renewing = this.#renewUntilReleased(ports, received);
  }

  /** Ends the renewing; resolves when no renewal is under way any more. */
  async release(): Promise<void> {
    this.#released.abort("released");
    await this.#renewing;
  }

  async #renewUntilReleased(
    { queue, clock, observe }: Pick<ArchivePorts, "queue" | "clock" | "observe">,
    received: ReceivedMessage,
  ): Promise<void> {
    const { signal } = this.#released;
    const exportTaskId = received.parsed.kind === "task" ? received.parsed.message.exportTaskId : undefined;
    for (;;) {
      try {
        await clock.sleep(queue.visibilityMs / 3, signal);
        await queue.renew(received, { signal });
      } catch (error) {
        if (signal.aborted) {
          return;
        }
        if (error instanceof ArchiverError && error.code === "queue-handle-expired") {
          observe({ kind: "lease-lost", exportTaskId });
          return;
        }
        // Two more tries fit into the timeout; if they fail too, the message is worked on twice, which is safe.
        observe({
          kind: "warning",
          code: "renewal-failed",
          message: "a visibility timeout could not be renewed",
        });
      }
    }
  }
}
