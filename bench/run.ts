// `npm run bench`: measures memory, speed and the drain of a full platform with the built command line against the
// sandbox, and prints the figures beside their targets. Nothing fails on a figure. `-- --write` keeps them in
// bench/RESULTS.md. Linux only: memory and CPU time come from /proc.
import { parseArgs } from "node:util";
import { measureDrain } from "./drain.ts";
import { machineLines } from "./machine.ts";
import { measureBesidePeers, measureIdle, measureMemory } from "./memory.ts";
import { drainPage, memoryPage, speedPage } from "./pages.ts";
import { RESULT_TITLES, writeResults } from "./results-file.ts";

const MIB = 1024 * 1024;

const { values } = parseArgs({ options: { write: { type: "boolean", default: false } } });
const startedAtMs = performance.now();
const pages: string[] = [];

function show(page: string): void {
  pages.push(page);
  process.stdout.write(`${page}\n\n`);
}

show(
  [
    RESULT_TITLES.archiver,
    "",
    "Written by `npm run bench -- --write`. The targets are the project's own; a figure is judged by its reader.",
    "",
    ...(await machineLines()).map((line) => `- ${line}`),
  ].join("\n"),
);

const idle = await measureIdle();
const small = await measureMemory(1, 64 * MIB);
const middle = await measureMemory(1, 256 * MIB);
const { archiver: large, peers } = await measureBesidePeers(1024 * MIB);
const two = await measureMemory(2, 512 * MIB);
show(memoryPage(idle, [small, middle, large, two]));
show(speedPage(large.transfer, peers));
show(drainPage([await measureDrain(1_000), await measureDrain(300), await measureDrain(300, 1.5)]));

const tookSeconds = ((performance.now() - startedAtMs) / 1000).toFixed(0);
if (values.write) {
  await writeResults("archiver", pages);
  process.stdout.write(`Written to bench/RESULTS.md. Took ${tookSeconds} s.\n`);
} else {
  process.stdout.write(`Took ${tookSeconds} s.\n`);
}
