// `npm start`: a night of exports, archived on this machine while you watch.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { styleText } from "node:util";
import Table from "cli-table3";
import { type RequestLogEntry, type StateView, spawnSandbox } from "../start.ts";
import { type ArchivedCopy, archivedCopies, closestDownloadsMs, deletedTooEarly } from "./archive-check.ts";
import { faultRules, INTERVAL_MS, NIGHT } from "./night.ts";
import { DEMO_ACCOUNT, DEMO_PROJECT_ID, writeSettingsFile } from "./settings-file.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const DEMO_FOLDER = join(ROOT, "demo");
const STORE_FOLDER = join(DEMO_FOLDER, "archive");
const PAGE = join(STORE_FOLDER, "reports", "latest.html");
const SETTINGS_FILE = join(DEMO_FOLDER, "archiver.env");
const CLI = join(ROOT, "dist", "cli.mjs");
/** As the stand-in sees them: a busy machine hands a request to it late, so that the next one seems early. */
const LEAST_APART_MS = INTERVAL_MS * 0.9;
const KIB = 1024;
const MIB = 1024 * KIB;

/** Exit codes of the archiver: a run may end well and still have dead-lettered a task. */
const EXIT_DONE = 0;
const EXIT_DEAD_LETTERED = 3;
/** The platform could not make one of the exports, and the report names it. */
const EXIT_NEEDS_SOMEBODY = 3;

function heading(text: string): void {
  process.stdout.write(`\n${styleText("bold", text)}\n`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function here(path: string): string {
  return relative(process.cwd(), path) || ".";
}

/** Runs the archiver as an operator would; its output goes straight to the terminal. */
async function archiver(...args: readonly string[]): Promise<number> {
  say(styleText("dim", `$ iotda-archiver ${args.join(" ")} --config ${here(SETTINGS_FILE)}`));
  const child = spawn(process.execPath, [CLI, ...args, "--config", SETTINGS_FILE], { stdio: "inherit" });
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 1;
}

async function main(): Promise<number> {
  const startedAtMs = performance.now();
  await rm(DEMO_FOLDER, { recursive: true, force: true });
  await mkdir(DEMO_FOLDER, { recursive: true });
  const sandbox = await spawnSandbox({
    stateFolder: join(DEMO_FOLDER, "platform"),
    settings: { projectId: DEMO_PROJECT_ID, accounts: [DEMO_ACCOUNT], downloadIntervalMs: INTERVAL_MS },
  });
  try {
    heading("A night of exports");
    await sandbox.control.addTasks(NIGHT.map(({ spec }) => spec));
    await sandbox.control.scriptFaults(...faultRules());
    await writeSettingsFile(SETTINGS_FILE, {
      endpoint: sandbox.endpoint,
      storeFolder: STORE_FOLDER,
      queueFile: join(DEMO_FOLDER, "queue.db"),
    });
    say(`A stand-in for the platform runs at ${sandbox.endpoint} with ${NIGHT.length} export tasks.`);
    say("The real platform allows one download per 30 s; here the interval is");
    say(`${INTERVAL_MS / 1000} s, so that you need not wait.`);
    say("Several things are made to go wrong on the way.\n");
    if ((await archiver("init", "--yes")) !== EXIT_DONE) {
      return 1;
    }
    say("");
    const firstExit = await archiver("run");

    heading("Once more: nothing is left to do");
    const before = (await sandbox.control.requests()).length;
    const secondExit = await archiver("run");

    const requests = await sandbox.control.requests();
    const state = await sandbox.control.state();
    const copies = await archivedCopies(STORE_FOLDER, state);
    heading("What became of the night");
    say(closingTable(copies, requests, state));
    const findings = judge(copies, requests, state, requests.slice(before), [firstExit, secondExit]);
    for (const { holds, text } of findings) {
      say(`${holds ? styleText("green", "✓") : styleText("red", "✗")} ${text}`);
    }
    say("");
    heading("The morning after");
    await archiver("inventory");
    say("");
    const reportExit = await archiver("report");
    say("");
    say(`The page of the night  ${here(PAGE)}   (open it in a browser)`);
    say(`The archive lies in   ${here(STORE_FOLDER)}/   (exports, records, reports, letters)`);
    say(`The settings lie in   ${here(SETTINGS_FILE)}`);
    say(`Took ${((performance.now() - startedAtMs) / 1000).toFixed(0)} s.`);
    return findings.every(({ holds }) => holds) && reportExit === EXIT_NEEDS_SOMEBODY ? 0 : 1;
  } finally {
    await sandbox.stop();
  }
}

function closingTable(
  copies: readonly ArchivedCopy[],
  requests: readonly RequestLogEntry[],
  state: StateView,
): string {
  const table = new Table({
    head: ["export task", "size", "downloads", "made to go wrong"],
    colAligns: ["left", "right", "right", "left"],
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
    style: { head: [], border: [] },
  });
  const wrong: string[] = [];
  for (const { spec, trouble } of NIGHT) {
    const id = spec.exportTaskId;
    const copy = copies.find((one) => one.exportTaskId === id);
    const downloads = requests.filter(
      (one) => one.operation === "showExportTask" && one.exportTaskId === id,
    ).length;
    const onPlatform = state.tasks.find((task) => task.exportTaskId === id);
    table.push([
      id,
      copy === undefined ? "" : sizeInWords(copy.sizeBytes),
      downloads === 0 ? "" : String(downloads),
      trouble ?? "",
    ]);
    const problem = problemOf(copy, onPlatform?.status);
    if (problem !== undefined) {
      wrong.push(`${id}: ${problem}`);
    }
  }
  return [table.toString(), ...wrong].join("\n");
}

function sizeInWords(sizeBytes: number): string {
  return sizeBytes < MIB ? `${(sizeBytes / KIB).toFixed(1)} KiB` : `${(sizeBytes / MIB).toFixed(1)} MiB`;
}

/** What is not as it should be after the night; a table that says eleven times that all is well is not read. */
function problemOf(copy: ArchivedCopy | undefined, statusOnPlatform: string | undefined): string | undefined {
  if (copy !== undefined) {
    const problems = [
      ...(copy.isIdentical ? [] : ["ARCHIVED, BUT DIFFERENT"]),
      ...(statusOnPlatform === undefined ? [] : ["STILL ON THE PLATFORM"]),
    ];
    return problems.length === 0 ? undefined : problems.join(", ");
  }
  return statusOnPlatform === "Failed" || statusOnPlatform === "Processing" ? undefined : "LOST";
}

interface Finding {
  readonly holds: boolean;
  readonly text: string;
}

/** What must be true of such a night, looked up in the sandbox's own log and in the folder. */
function judge(
  copies: readonly ArchivedCopy[],
  requests: readonly RequestLogEntry[],
  state: StateView,
  secondRun: readonly RequestLogEntry[],
  exits: readonly number[],
): readonly Finding[] {
  const finished = NIGHT.filter(({ spec }) => spec.status === undefined);
  const identical = copies.filter(({ isIdentical }) => isIdentical).length;
  const stillThere = finished.filter(({ spec }) =>
    state.tasks.some((one) => one.exportTaskId === spec.exportTaskId),
  );
  const closestMs = closestDownloadsMs(requests);
  const early = deletedTooEarly(copies, requests);
  const secondDownloads = secondRun.filter(({ operation }) => operation !== "listExportTasks").length;
  return [
    {
      holds: identical === finished.length && copies.length === finished.length,
      text: `${identical} of ${finished.length} finished exports are archived, byte for byte what the platform had`,
    },
    {
      holds: stillThere.length === 0,
      text: `${finished.length - stillThere.length} of them are deleted from the platform; no delete came before its record${early.length === 0 ? "" : ` EXCEPT ${early.join(", ")}`}`,
    },
    {
      holds: closestMs !== undefined && closestMs >= LEAST_APART_MS,
      text: `no two downloads came closer than ${((closestMs ?? 0) / 1000).toFixed(2)} s (the interval is ${INTERVAL_MS / 1000} s)`,
    },
    {
      holds: early.length === 0 && secondDownloads === 0,
      text: "the second run downloaded and deleted nothing",
    },
    {
      holds: exits[0] === EXIT_DEAD_LETTERED && exits[1] === EXIT_DONE,
      text: `exit codes ${exits.join(" and ")}: the failed export was dead-lettered; then all was done`,
    },
  ];
}

process.exitCode = await main();
