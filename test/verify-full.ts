/**
 * Everything that proves the promises, at the size that takes hours: `npm run verify:full`. Each step prints its
 * counts; the last lines say which steps passed, and the exit code whether all did.
 *
 * Names of steps as arguments choose some of them; `KILLS` and `SIMULATION`, where they are set, win.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const VITEST = "node_modules/vitest/vitest.mjs";
const STRYKER = "node_modules/@stryker-mutator/core/bin/stryker.js";

interface Step {
  readonly name: string;
  /** A file for Node, and its arguments. */
  readonly command: readonly string[];
  readonly settings?: Readonly<Record<string, string>>;
}

const STEPS: readonly Step[] = [
  { name: "build", command: ["build.ts"] },
  // A million seeds, every pair of faults, the planted bugs.
  {
    name: "simulation",
    command: [VITEST, "run", "test/simulation", "--project", "exhaustive"],
    settings: { SIMULATION: "full" },
  },
  { name: "kills", command: [VITEST, "run", "kills.exhaustive"], settings: { KILLS: "200" } },
  { name: "mutation", command: [STRYKER, "run"] },
];

interface Outcome {
  readonly name: string;
  readonly passed: boolean;
  readonly minutes: number;
}

async function run({ name, command, settings }: Step): Promise<Outcome> {
  console.log(`\n=== ${name}`);
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, [...command], {
    cwd: ROOT,
    stdio: "inherit",
    env: { ...settings, ...process.env },
  });
  const [exitCode] = await once(child, "close");
  return { name, passed: exitCode === 0, minutes: (performance.now() - startedAtMs) / 60_000 };
}

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !STEPS.some((step) => step.name === name));
if (unknown.length > 0) {
  console.error(`no such step: ${unknown.join(", ")}; there are ${STEPS.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

const outcomes: Outcome[] = [];
for (const step of STEPS.filter(({ name }) => chosen.length === 0 || chosen.includes(name))) {
  outcomes.push(await run(step));
}
console.log("");
for (const { name, passed, minutes } of outcomes) {
  console.log(`${passed ? "passed" : "FAILED"}  ${name}, ${minutes.toFixed(1)} min`);
}
process.exitCode = outcomes.every(({ passed }) => passed) ? 0 : 1;
