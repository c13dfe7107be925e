import type { Clock, Random } from "../ports/clock.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { Platform } from "../ports/platform.ts";
import type { TaskQueue } from "../ports/task-queue.ts";
import type { Observe } from "./events.ts";

/** Everything the policy reaches the world through. Nothing else in this folder touches it. */
export interface ArchivePorts {
  readonly platform: Platform;
  readonly store: ObjectStore;
  readonly queue: TaskQueue;
  readonly clock: Clock;
  readonly random: Random;
  readonly observe: Observe;
}
