// The entry of dist/cli.mjs. It imports nothing that an old Node cannot load: the check must come to speak
// before the program's own imports fail with a stack trace.
import { EXIT_MISUSE, nodeVersionProblem } from "./node-version.ts";
import { watchOutput } from "./output-failures.ts";

watchOutput();
const problem = nodeVersionProblem(process.versions.node);
if (problem === undefined) {
  const { run } = await import("./program.ts");
  process.exitCode = await run(process.argv.slice(2));
} else {
  process.stderr.write(`${problem}\n`);
  process.exitCode = EXIT_MISUSE;
}
