import { parentPort } from "node:worker_threads";
import { importPlanted } from "../simulation/planted/planted-graph.ts";
import { RETENTION_BUGS } from "./retention-bugs.ts";
import type * as Nights from "./retention-nights.ts";

// A thread that loads retention with a planted bug in it, plays the nights, and says what was broken.
parentPort?.on("message", (name: string) => {
  const bug = RETENTION_BUGS.find((planted) => planted.name === name);
  importPlanted(new URL("retention-nights.ts", import.meta.url), bug)
    .then(async (nights) => parentPort?.postMessage(await (nights as typeof Nights).playNights()))
    .catch((thrown: unknown) => {
      // Ends this thread with what was thrown, which the test sees.
      queueMicrotask(() => {
        throw thrown;
      });
    });
});
