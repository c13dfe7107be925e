// `npm run bench:coldstart`: size, import time, first call and memory of the built functions, beside a bundle of the
// two AWS clients alone. Prints; nothing fails on a figure. `-- --write` keeps them in bench/RESULTS.md.
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { machineLines } from "../machine.ts";
import { RESULT_TITLES, writeResults } from "../results-file.ts";
import { buildBareBundle } from "./bare-bundle.ts";
import { inCloud } from "./cloud.ts";
import { type FreshProcess, inFreshProcess } from "./fresh-process.ts";
import { callPage, importPage, type Measured } from "./pages.ts";

const ROUNDS = 15;
const TASK_BYTES = 10 * 1024;
const FUNCTIONS = join(import.meta.dirname, "..", "..", "dist", "functions");

const { values } = parseArgs({ options: { write: { type: "boolean", default: false } } });
const pages = [
  [
    RESULT_TITLES.coldStart,
    "",
    "Written by `npm run bench:coldstart -- --write`; a figure is judged by its reader.",
    "",
    ...(await machineLines()).map((line) => `- ${line}`),
  ].join("\n"),
  importPage(await measureImports(), ROUNDS),
  callPage(await measureCalls()),
];
process.stdout.write(`${pages.join("\n\n")}\n`);
if (values.write) {
  await writeResults("coldStart", pages);
}

/** Fresh processes, one of each bundle in turn, so that what else the machine does hits all alike. */
async function measureImports(): Promise<readonly Measured[]> {
  const folder = await mkdtemp(join(tmpdir(), "archiver-bench-"));
  try {
    const bare = join(folder, "bare.mjs");
    await buildBareBundle(bare);
    const functions = (await readdir(FUNCTIONS)).filter((name) => name.endsWith(".mjs")).sort();
    const bundles = [
      { name: "client-s3 and client-sqs alone", file: bare },
      ...functions.map((name) => ({ name, file: join(FUNCTIONS, name) })),
    ];
    const measured = bundles.map((bundle) => ({ ...bundle, processes: [] as FreshProcess[] }));
    // A round that is not counted brings every file into memory.
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const { file, processes } of measured) {
        const process_ = await inFreshProcess(file);
        if (round > 0) {
          processes.push(process_);
        }
      }
    }
    return await Promise.all(
      measured.map(async ({ name, file, processes }) => ({
        name,
        sizeBytes: (await stat(file)).size,
        processes,
      })),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A first and a second call that do nothing, then one that archives a small export: each set in a fresh process. */
async function measureCalls(): Promise<readonly FreshProcess[]> {
  return await inCloud(async ({ sandbox, queue, settings }) => {
    const processes: FreshProcess[] = [];
    for (let round = 1; round <= 5; round += 1) {
      const exportTaskId = `export-${round}`;
      await sandbox.control.addTask({
        exportTaskId,
        fillerBytes: TASK_BYTES,
        createTime: `2026-11-21T01:0${round}:00.000Z`,
      });
      queue.send(exportTaskId);
      const pressure = { when: "pressure" };
      processes.push(
        await inFreshProcess(join(FUNCTIONS, "archive.mjs"), [pressure, pressure, {}], settings),
      );
    }
    return processes;
  });
}
