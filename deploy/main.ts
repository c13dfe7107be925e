// `npm run package` and `npm run deploy`: checks the stage, says what it deploys, builds, and hands over to the
// deployment program with the same words. A deployment ends with what the deployed function doctor finds. Ends with 2 when
// the stage is refused, with 1 when the doctor finds something broken, else as the deployment program does.
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { lineWriter } from "../lib/cli/output.ts";
import { problemsOfNodeEnvironment } from "../lib/config/node-names.ts";
import { readArguments } from "./check/arguments.ts";
import { checkStage, refusalLines } from "./check/check-stage.ts";
import { summaryLines } from "./check/summary.ts";
import { type DoctorsWord, readDoctorsAnswer } from "./doctor-answer.ts";
import { packagedLines } from "./packaged.ts";

const ROOT = path.join(import.meta.dirname, "..");
const DEPLOYER = "node_modules/serverless/bin/serverless.js";
const BROKEN = 1;
const REFUSED = 2;
/** Lambda answers a call with at most 6 MB. */
const MAX_ANSWER_BYTES = 6_000_000;

const [command = "package", ...args] = process.argv.slice(2);
const { stage, params } = readArguments(args);
const checked = checkStage(await readFile(path.join(ROOT, "deploy/stages.yml"), "utf8"), stage, params);
// The deployment program is given keys that may do more than any other here.
const ofNode = problemsOfNodeEnvironment(process.env);
if (ofNode.length > 0 || checked.kind === "refused") {
  const complain = await lineWriter(process.stderr);
  const ofStage = checked.kind === "refused" ? checked.problems : [];
  complain(refusalLines(stage, [...ofNode, ...ofStage]));
  process.exitCode = REFUSED;
} else {
  const tell = await lineWriter(process.stdout);
  tell([...summaryLines(stage, checked.stage, checked.unchecked), ""]);
  process.exitCode = run("build.ts", [], "ignore") || run(DEPLOYER, [command, ...args], "inherit");
  const isElsewhere = args.some((word) => /^(?:-p|--package)(?:=|$)/.test(word));
  if (command === "package" && process.exitCode === 0 && !isElsewhere) {
    tell(await packagedLines(ROOT));
  }
  if (command === "deploy" && process.exitCode === 0) {
    const { lines, isBroken } = examineDeployment();
    tell(["", ...lines]);
    process.exitCode = isBroken ? BROKEN : 0;
  }
}

/** The deployed doctor has the settings, the permissions and the network that the functions have. */
function examineDeployment(): DoctorsWord {
  const words = ["--stage", stage, ...[...params].map(([name, value]) => `--param=${name}=${value}`)];
  const { status, stdout } = spawnSync(
    process.execPath,
    [path.join(ROOT, DEPLOYER), "invoke", "--function", "doctor", ...words],
    { cwd: ROOT, stdio: ["inherit", "pipe", "inherit"], encoding: "utf8", maxBuffer: MAX_ANSWER_BYTES },
  );
  return readDoctorsAnswer(status === 0 ? stdout : undefined, stage);
}

/** Runs a program of this project to its end; returns its exit code. */
function run(program: string, words: readonly string[], stdout: "ignore" | "inherit"): number {
  const { status, error } = spawnSync(process.execPath, [path.join(ROOT, program), ...words], {
    cwd: ROOT,
    stdio: ["inherit", stdout, "inherit"],
  });
  if (error !== undefined) {
    throw error;
  }
  return status ?? 1;
}
