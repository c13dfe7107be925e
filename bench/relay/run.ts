// `npm run bench:relay`: our S3 writer beside lib-storage, rclone, the AWS CLI and curl, whichever are installed; the
// memory of the whole archiver; and what becomes of bodies that end early. Nothing fails on a figure. `-- --write`
// keeps them in bench/RESULTS.md. Linux only: memory and CPU time come from /proc.
import { parseArgs } from "node:util";
import { machineLines } from "../machine.ts";
import { RESULT_TITLES, writeResults } from "../results-file.ts";
import { runBattery } from "./battery.ts";
import { preparePipeline } from "./memory.ts";
import { batteryPage, itemPage, pipelinePage, relayNotes, relayPage, targetLines } from "./pages.ts";
import { AWS_CLI, BARE, CURL, LIB_STORAGE, OURS, OURS_GENERIC, RCLONE, versionOf } from "./peers.ts";
import { type Course, measureReadBack, runRace } from "./races.ts";
import { spawnSource } from "./source.ts";
import { startTarget } from "./target.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const ROUNDS = 5;
const ITEM_ROUNDS = 5;
const READ_BACK_BYTES = GIB;

const { values } = parseArgs({ options: { write: { type: "boolean", default: false } } });
const startedAtMs = performance.now();
const pages: string[] = [];

function show(page: string): void {
  pages.push(page);
  process.stdout.write(`${page}\n\n`);
}

const [rclone, aws, curl] = [await versionOf("rclone"), await versionOf("aws"), await versionOf("curl")];
const rclonePeers = rclone === undefined ? [] : [RCLONE];
const awsPeers = aws === undefined || curl === undefined ? [] : [AWS_CLI];
const curlPeers = curl === undefined ? [] : [CURL];

show(
  [
    RESULT_TITLES.relay,
    "",
    "Written by `npm run bench:relay -- --write`; a figure is judged by its reader.",
    "",
    ...(await machineLines()).map((line) => `- ${line}`),
    `- ${[rclone, aws, curl].filter((version) => version !== undefined).join(", ")}; lib-storage and client-s3 as in package.json`,
  ].join("\n"),
);

const course: Course = { target: await startTarget("hashed"), source: await spawnSource() };
try {
  const large = await runRace(course, {
    ...{ sizeBytes: GIB, items: 1, rounds: ROUNDS, timed: "relay" },
    peers: [OURS, OURS_GENERIC, LIB_STORAGE, ...rclonePeers, ...awsPeers, ...curlPeers],
  });
  show(relayPage("1 GiB", large));
  const middle = await runRace(course, {
    ...{ sizeBytes: 8 * MIB, items: 20, rounds: ROUNDS, timed: "relay" },
    // The AWS CLI takes most of a second to start.
    peers: [OURS, OURS_GENERIC, LIB_STORAGE, ...rclonePeers, ...curlPeers],
  });
  show(relayPage("8 MiB × 20", middle));
  show(relayNotes(ROUNDS, await readBack(course), READ_BACK_BYTES));
  const small = await runRace(course, {
    ...{ sizeBytes: 10 * KIB, items: 500, rounds: ITEM_ROUNDS, timed: "store" },
    peers: [OURS, OURS_GENERIC, LIB_STORAGE, BARE],
  });
  show(itemPage("10 KiB × 500", small));
  // Making gigabytes of exports and playing the battery wait for different things.
  const preparing = preparePipeline([256 * MIB, GIB, 4 * GIB]);
  show(batteryPage(await runBattery(course, [OURS, LIB_STORAGE, ...rclonePeers, ...awsPeers])));
  const pipeline = await preparing;
  try {
    const memory = [await pipeline.measureNext(), await pipeline.measureNext(), await pipeline.measureNext()];
    show(pipelinePage(memory));
    show(targetLines(large, small, memory));
  } finally {
    await pipeline.stop();
  }
} finally {
  await Promise.all([course.target.stop(), course.source.stop()]);
}

const tookSeconds = ((performance.now() - startedAtMs) / 1000).toFixed(0);
if (values.write) {
  await writeResults("relay", pages);
}
process.stdout.write(`${values.write ? "Written to bench/RESULTS.md. " : ""}Took ${tookSeconds} s.\n`);

async function readBack({ source }: Course): ReturnType<typeof measureReadBack> {
  const target = await startTarget("kept");
  try {
    return await measureReadBack({ target, source }, READ_BACK_BYTES);
  } finally {
    await target.stop();
  }
}
