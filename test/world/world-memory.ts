import type { ArchiveMemory } from "../../lib/ports/archive-memory.ts";
import type { CallOptions } from "../../lib/ports/platform.ts";
import type { Site } from "./faults.ts";
import type { QueueState } from "./queue-state.ts";
import type { RunnerProcess } from "./runner-process.ts";

/** The archive that a queue on this machine remembers. */
export class MemoryState {
  readonly #all: string[] = [];

  get archiveId(): string | undefined {
    return this.#all.at(-1);
  }

  set archiveId(archiveId: string) {
    this.#all.push(archiveId);
  }

  /** Every id that was remembered, in order. */
  get all(): readonly string[] {
    return this.#all;
  }
}

export interface WorldMemoryParts {
  readonly state: MemoryState;
  /** Whose pace this is: the memory lies in the queue's database. */
  readonly queue: QueueState;
  readonly runner: RunnerProcess;
}

/** The memory of the queue as one runner reaches it. */
export class WorldMemory implements ArchiveMemory {
  readonly #parts: WorldMemoryParts;

  constructor(parts: WorldMemoryParts) {
    this.#parts = parts;
  }

  recall({ signal }: CallOptions): Promise<string | undefined> {
    return this.#call("memory.recall", "", signal, () => this.#parts.state.archiveId);
  }

  rememberFirst(archiveId: string, { signal }: CallOptions): Promise<string> {
    const { state } = this.#parts;
    return this.#call("memory.remember", archiveId, signal, () => {
      if (state.archiveId === undefined) {
        state.archiveId = archiveId;
      }
      return state.archiveId ?? archiveId;
    });
  }

  remember(archiveId: string, { signal }: CallOptions): Promise<void> {
    return this.#call("memory.remember", archiveId, signal, () => {
      this.#parts.state.archiveId = archiveId;
    });
  }

  #call<T>(site: Site, subject: string, signal: AbortSignal, effect: () => T): Promise<T> {
    const { queue, runner } = this.#parts;
    return runner.outside({ site, subject, signal, latency: queue.settings.callLatency, effect });
  }
}
