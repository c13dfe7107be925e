import type { Clock, Random } from "../ports/clock.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { Platform } from "../ports/platform.ts";
import type { TaskQueue } from "../ports/task-queue.ts";

/** What policies reach the world through; each takes those ports that it needs. */
export interface RunPorts {
  readonly platform: Platform;
  readonly store: ObjectStore;
  readonly queue: TaskQueue;
  readonly clock: Clock;
  readonly random: Random;
}
