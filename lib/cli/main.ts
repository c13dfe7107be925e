// The entry of dist/cli.mjs. It imports nothing that an old Node cannot load: the check must come to speak
// before the program's own imports fail with a stack trace.
import { EXIT_MISUSE, nodeVersionProblem } from "./node-version.ts";

// `iotda-archiver … | head` closes the pipe; the work goes on and its exit code stands.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") {
      throw error;
    }
  });
}

const problem = nodeVersionProblem(process.versions.node);
if (problem === undefined) {
  const { run } = await import("./program.ts");
  process.exitCode = await run(process.argv.slice(2));
} else {
  process.stderr.write(`${problem}\n`);
  process.exitCode = EXIT_MISUSE;
}
