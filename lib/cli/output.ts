import { columnsOf, type Screen, wrapped } from "./terminal.ts";

/** Where a command's result goes: one JSON document, or lines for a person. Progress goes elsewhere. */
export interface Output {
  show(document: object, lines: readonly string[]): void;
}

/** Writes to stdout as `--json` says; lines are broken between words on a terminal, and nowhere else. */
export function createOutput(stdout: Screen, asJson: boolean): Output {
  return {
    show(document, lines) {
      stdout.write(
        asJson
          ? `${JSON.stringify(document, null, 2)}\n`
          : `${wrapped(lines.join("\n"), columnsOf(stdout))}\n`,
      );
    },
  };
}
