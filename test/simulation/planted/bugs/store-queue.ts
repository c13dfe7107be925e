import type { PlantedBug } from "../planted-bug.ts";

/** Bugs in the queue that lies in the store. */
export const STORE_QUEUE_BUGS: readonly PlantedBug[] = [
  {
    name: "message removed before its successor is written",
    breaks: "A death in between loses the message.",
    invariant: "I3",
    file: "lib/queue/store-queue.ts",
    find: "await first();\n      await this.#store.removeObject(key, options);",
    replace: "await this.#store.removeObject(key, options);\n      await first();",
  },
  {
    name: "claim that never ends",
    breaks: "A message whose runner died is not received again.",
    invariant: "I3",
    file: "lib/queue/queued-message.ts",
    find: "return visibleAtMs > nowMs && visibleAtMs <= nowMs + MAX_CLAIM_MS ? visibleAtMs : undefined;",
    replace: "return claim === undefined ? undefined : nowMs + MAX_CLAIM_MS;",
  },
  {
    name: "receives of a stored message not counted",
    breaks: "A message that kills every runner is never given up.",
    invariant: "I3",
    file: "lib/queue/store-messages.ts",
    find: "const receiveCount = (message.claim?.receiveCount ?? 0) + 1;",
    replace: "const receiveCount = 1;",
  },
  {
    name: "another runner's run lease ignored",
    breaks: "Two runners receive where the store cannot swap, and download in each other's slots.",
    invariant: "I4",
    file: "lib/queue/run-lease.ts",
    find: "if (this.#othersUntilMs !== undefined) {",
    replace: "if (this.#othersUntilMs === 0) {",
  },
  {
    name: "run lease taken without waiting",
    breaks: "Of two runners that find the lease free at once, both think that they have it.",
    invariant: "I4",
    file: "lib/queue/run-lease.ts",
    find: "await clock.sleep(STANDS_MS, options.signal);",
    replace: "",
  },
];
