// `npm run bench:scale`: a day of an archive of 20,000 and of 200,000 exports, in a folder and in S3 with 20 ms an answer,
// and the first inventory of one from before inventories. `-- --exports 20000,200000` chooses the sizes, `-- --write`
// keeps the figures in bench/RESULTS.md. Nothing fails on a figure. Linux only: memory comes from /proc.
import { parseArgs } from "node:util";
import { machineLines } from "../machine.ts";
import { table } from "../markdown.ts";
import { RESULT_TITLES, writeResults } from "../results-file.ts";
import { ScaleCase, type Step, waitUntilWrittenOut } from "./case.ts";
import { Estate } from "./estate.ts";

const MIB = 1024 * 1024;
const DAY_MS = 86_400_000;

const { values } = parseArgs({
  options: {
    write: { type: "boolean", default: false },
    exports: { type: "string", default: "20000,200000" },
    places: { type: "string", default: "folder,s3" },
  },
});
const sizes = values.exports.split(",").map(Number);
const kinds = (["folder", "s3"] as const).filter((kind) => values.places.split(",").includes(kind));
const untilMs = Math.floor(Date.now() / DAY_MS) * DAY_MS;
const pages: string[] = [];

function show(page: string): void {
  pages.push(page);
  process.stdout.write(`${page}\n\n`);
}

show(
  [
    RESULT_TITLES.scale,
    "",
    "Written by `npm run bench:scale -- --write`. Each case is one archive of 50 exports a night. The day has 50 new exports,",
    "50 copies to read and 10 exports to remove. Targets at 200,000: up to 2,000 requests and 150 s on S3, 30 s on the folder,",
    "200 MiB; list and show 1 s, find 5 s, plan 10 s.",
    "",
    ...(await machineLines()).map((line) => `- ${line}`),
  ].join("\n"),
);

for (const exports of sizes) {
  for (const kind of kinds) {
    await measureCase(kind, new Estate(exports, { canLock: false, canTag: kind === "s3" }, untilMs));
  }
}
if (values.write) {
  await writeResults("scale", pages);
  process.stdout.write("Written to bench/RESULTS.md.\n");
}

async function measureCase(kind: "folder" | "s3", estate: Estate): Promise<void> {
  const isSmall = estate.exports <= 20_000;
  const scene = await ScaleCase.plant(kind, estate, !isSmall);
  try {
    if (kind === "folder") {
      process.stderr.write("Waits 10 minutes, until the planted files count as written out.\n");
      await waitUntilWrittenOut();
    }
    const first = isSmall ? [await scene.first(), ...(await scene.firstAfterKill())] : [];
    const steps = [...first, ...(await scene.day())];
    show(`## ${estate.exports} exports, ${scene.place.name}\n\n${stepTable(steps)}`);
  } finally {
    await scene.stop();
  }
}

function stepTable(steps: readonly Step[]): string {
  const rows = steps.map(({ name, seconds, peakBytes, requests, did }) => {
    const all = requests && Object.values(requests).reduce((sum, count) => sum + count, 0);
    return [
      name,
      seconds.toFixed(1),
      peakBytes === undefined ? "–" : (peakBytes / MIB).toFixed(0),
      all === undefined ? "–" : String(all),
      did,
    ];
  });
  return table(["", "seconds", "peak MiB", "requests", "counts"], rows);
}
