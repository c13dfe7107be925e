// The entry of dist/cli.mjs. It imports nothing that an old Node cannot load: the version check must speak before the
// program's own imports fail with a stack trace.
import { EXIT, nodeVersionProblem, watchOutput } from "./process.ts";

watchOutput();
const problem = nodeVersionProblem(process.versions.node);
if (problem === undefined) {
  const { run } = await import("./program.ts");
  process.exitCode = await run(process.argv.slice(2));
} else {
  process.stderr.write(`${problem}\n`);
  process.exitCode = EXIT.misuse;
}
