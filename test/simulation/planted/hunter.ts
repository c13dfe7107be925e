import { parentPort } from "node:worker_threads";
import type * as Hunt from "./hunt.ts";
import type { HuntAnswer, HuntOrder } from "./hunters.ts";
import { PLANTED_BUGS } from "./planted-bugs.ts";
import { importPlanted } from "./planted-graph.ts";

/** One hunter: a thread that loads the program with a bug in it, plays worlds, and says what it saw. */
async function hunt({ name, sceneSeed, seeds }: HuntOrder): Promise<HuntAnswer> {
  const bug = PLANTED_BUGS.find((planted) => planted.name === name);
  const { huntByChance, huntInScenes } = (await importPlanted(
    new URL("hunt.ts", import.meta.url),
    bug,
  )) as typeof Hunt;
  return { name, inScenes: await huntInScenes(sceneSeed), byChance: await huntByChance(seeds) };
}

parentPort?.on("message", (order: HuntOrder) => {
  hunt(order).then(
    (answer) => parentPort?.postMessage(answer),
    (thrown: unknown) => {
      // Ends this thread with what was thrown, which the pool reports.
      queueMicrotask(() => {
        throw thrown;
      });
    },
  );
});
