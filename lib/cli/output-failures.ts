import { EXIT } from "./exit-codes.ts";

/**
 * What happens when the streams of this process cannot be written. A stdout on a full disk is told in a line on stderr,
 * and makes exit 0 or 3 an exit 1, once the work is done. Where stderr fails there is nowhere left to tell it, and no
 * work is given up for that.
 */
export function watchOutput(): void {
  let isTold = false;
  process.stderr.on("error", () => undefined);
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    // `iotda-archiver … | head` has read enough: the exit code stands.
    if (error.code === "EPIPE" || isTold) {
      return;
    }
    isTold = true;
    process.stderr.write(`error: the output could not be written (${error.code ?? error.name})\n`);
    process.on("exit", (exitCode) => {
      if (exitCode === EXIT.done || exitCode === EXIT.deadLettered) {
        process.exitCode = EXIT.failed;
      }
    });
  });
}
