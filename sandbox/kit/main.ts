import { Command, InvalidArgumentError } from "commander";
import * as v from "valibot";
import { describeIssues } from "./control.ts";

/** Options of every stand-in's command line. */
export interface CommonOptions {
  readonly port: number;
  readonly untilStdinCloses?: true;
}

export function standInCommand(name: string): Command {
  return new Command(name)
    .option("--port <number>", "loopback port, 0 lets the system choose", parsePort, 0)
    .option("--until-stdin-closes", "end when standard input does, as it does when the parent process dies");
}

/** Prints the line that says that a stand-in is ready, and stops it when this process is told to end. */
export function announce(ready: object, stop: () => Promise<void>, untilStdinCloses = false): void {
  const end = async (): Promise<void> => {
    await stop();
    process.exit(0);
  };
  process.once("SIGTERM", () => void end());
  process.once("SIGINT", () => void end());
  if (untilStdinCloses) {
    process.stdin.once("end", () => void end()).resume();
  }
  process.stdout.write(`${JSON.stringify(ready)}\n`);
}

/** @throws InvalidArgumentError that names every issue. */
export function parseOption<T>(schema: v.GenericSchema<unknown, T>, text: string): T {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text);
  if (!parsed.success) {
    throw new InvalidArgumentError(describeIssues(parsed.issues));
  }
  return parsed.output;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new InvalidArgumentError("a port is a number from 0 to 65535");
  }
  return port;
}
