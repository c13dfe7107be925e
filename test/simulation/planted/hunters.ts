import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Sighting } from "./hunt.ts";

/** What one hunter is to do. */
export interface HuntOrder {
  /** Of a planted bug; any other name is the program as it is. */
  readonly name: string;
  readonly sceneSeed: number;
  /** Up to this many random stories are played. */
  readonly seeds: number;
}

export interface HuntAnswer {
  readonly name: string;
  readonly inScenes: Sighting | undefined;
  readonly byChance: Sighting | undefined;
}

const HUNTERS = 2;

/**
 * Hunts for bugs in threads of their own, two at a time.
 *
 * @returns the answers, in the order of the orders.
 * @throws what a hunter could not do: a bug that cannot be planted, a module that does not load.
 */
export async function huntAll(orders: readonly HuntOrder[]): Promise<readonly HuntAnswer[]> {
  const answers: HuntAnswer[] = new Array(orders.length);
  const waiting = [...orders.entries()];
  const work = async () => {
    const hunter = new Worker(new URL("hunter.ts", import.meta.url), { execArgv: [] });
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [index, order] = next;
        hunter.postMessage(order);
        // Rejects with what the thread threw.
        const [answer] = await once(hunter, "message");
        answers[index] = answer;
      }
    } finally {
      await hunter.terminate();
    }
  };
  await Promise.all(Array.from({ length: HUNTERS }, work));
  return answers;
}
