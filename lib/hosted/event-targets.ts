import { AccessKeys } from "../config/access-keys.ts";
import type { Configuration } from "../config/configuration.ts";
import { systemClock, systemRandom } from "../config/system.ts";
import { wireQueue, wireStore } from "../config/wiring.ts";
import { runIdOf } from "../domain/key-layout.ts";
import type { EventTargets } from "../events/take-event.ts";
import type { Redactor } from "../observability/redact.ts";
import { makeRequest } from "../requests/make-request.ts";

/** What the function of outside events works with. */
export type EventsFunctionConfiguration = Configuration<"events" | "store" | "queue">;

/** A rejected event is shown to a person, who needs its beginning. */
const MAX_LETTER_CHARACTERS = 16 * 1024;

/** Store and queue, each opened when the first event needs it: an event that is refused costs neither. */
export class WiredTargets implements EventTargets {
  readonly #configuration: EventsFunctionConfiguration;
  readonly #signal: AbortSignal;
  readonly #redactor: Redactor;
  readonly #keys: AccessKeys | undefined;
  #store: ReturnType<typeof wireStore> | undefined;
  #queue: ReturnType<typeof wireQueue> | undefined;

  constructor(configuration: EventsFunctionConfiguration, signal: AbortSignal, redactor: Redactor) {
    this.#configuration = configuration;
    this.#signal = signal;
    this.#redactor = redactor;
    const { store, proxy } = configuration;
    // A store that takes Huawei's keys brings them with it.
    this.#keys =
      store.kind === "s3" && store.credentials.kind === "huawei"
        ? new AccessKeys(store.credentials.keys, redactor, proxy)
        : undefined;
  }

  request: EventTargets["request"] = async (request) => {
    const { store: place, archive, proxy, events } = this.#configuration;
    this.#store ??= wireStore(place, archive, proxy, this.#keys);
    const { store } = await this.#store;
    const ports = { store, clock: systemClock };
    return await makeRequest(ports, events.scope, request, { signal: this.#signal });
  };

  enqueue: EventTargets["enqueue"] = async (message) => {
    const queue = await this.#openQueue();
    await queue.send([message], { signal: this.#signal, delayMs: 0 });
  };

  /** Keeps a refused event, without the secrets that are known, where people look for such things. */
  async deadLetter(given: string, detail: string): Promise<void> {
    const queue = await this.#openQueue();
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
    // What could not be opened has been told by the event that needed it.
    const store = await this.#store?.catch(() => undefined);
    store?.close();
    this.#keys?.close();
    const queue = await this.#queue?.catch(() => undefined);
    queue?.close();
  }

  async #openQueue() {
    this.#queue ??= wireQueue(this.#configuration.queue, this.#configuration.proxy);
    return await this.#queue;
  }
}
