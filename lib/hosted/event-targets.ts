import type { Configuration } from "../config/configuration.ts";
import { wireQueue } from "../config/queue-wiring.ts";
import { wireStore } from "../config/store-wiring.ts";
import { systemClock, systemRandom } from "../config/system.ts";
import type { PlatformScope } from "../domain/export-task.ts";
import { runIdOf } from "../domain/key-layout.ts";
import type { EventTargets } from "../events/outside-event.ts";
import type { ArchiveStore } from "../identity/archive-store.ts";
import type { Redactor } from "../observability/redact.ts";
import type { TaskQueue } from "../ports/task-queue.ts";
import { makeRequest } from "../requests/request-ledger.ts";

/** What the function of outside events works with. */
export type EventsFunctionConfiguration = Configuration<"events" | "store" | "queue">;

/** A rejected event is shown to a person, who needs its beginning. */
const MAX_LETTER_CHARACTERS = 16 * 1024;

/** Store and queue, each opened when the first event needs it: an event that is refused costs neither. */
export class WiredTargets implements EventTargets {
  readonly #configuration: EventsFunctionConfiguration;
  readonly #signal: AbortSignal;
  readonly #redactor: Redactor;
  #wired: Promise<Wired> | undefined;

  constructor(configuration: EventsFunctionConfiguration, signal: AbortSignal, redactor: Redactor) {
    this.#configuration = configuration;
    this.#signal = signal;
    this.#redactor = redactor;
  }

  request: EventTargets["request"] = async (request) => {
    const { store } = await this.#wire();
    const ports = { store, clock: systemClock };
    return await makeRequest(ports, scopeOf(this.#configuration), request, { signal: this.#signal });
  };

  enqueue: EventTargets["enqueue"] = async (message) => {
    const { queue } = await this.#wire();
    await queue.send([message], { signal: this.#signal, delayMs: 0 });
  };

  /** Keeps a refused event, without the secrets that are known, where people look for such things. */
  async deadLetter(given: string, detail: string): Promise<void> {
    const { queue } = await this.#wire();
    // Before it is cut: half a secret would not be recognised.
    const body = this.#redactor.withoutKnown(given);
    const isLong = body.length > MAX_LETTER_CHARACTERS;
    const letter = {
      body: isLong ? body.slice(0, MAX_LETTER_CHARACTERS) : body,
      reason: "unreadable" as const,
      detail: `An event from outside. ${detail}${isLong ? " Only its beginning is kept." : ""}`,
      attempts: 0,
      runId: runIdOf(systemClock.wallMs(), systemRandom.hex(4)),
    };
    await queue.deadLetter(letter, { signal: this.#signal });
  }

  async close(): Promise<void> {
    // What could not be wired has been told by the event that needed it.
    const wired = await this.#wired?.catch(() => undefined);
    await wired?.close();
  }

  async #wire(): Promise<Wired> {
    this.#wired ??= wireTargets(this.#configuration, this.#redactor);
    return await this.#wired;
  }
}

interface Wired {
  readonly store: ArchiveStore;
  readonly queue: TaskQueue;
  readonly close: () => Promise<void>;
}

function scopeOf({ events }: EventsFunctionConfiguration): PlatformScope {
  return { projectId: events.projectId, instanceId: events.instanceId };
}

async function wireTargets(configuration: EventsFunctionConfiguration, redactor: Redactor): Promise<Wired> {
  const { store, close: closeStore } = await wireStore({
    configuration,
    scope: scopeOf(configuration),
    purpose: "use",
    redactor,
  });
  const { queue, close: closeQueue } = wireQueue(configuration, store, { redactor });
  return {
    store,
    queue,
    async close() {
      await closeQueue();
      closeStore();
    },
  };
}
