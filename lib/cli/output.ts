import type { LineSink } from "../observability/log.ts";

/** Where a command's result goes: one JSON document, or lines for a person. Progress goes elsewhere. */
export interface Output {
  show(document: object, lines: readonly string[]): void;
}

/** Writes to stdout as `--json` says. */
export function createOutput(stdout: LineSink, asJson: boolean): Output {
  return {
    show(document, lines) {
      stdout.write(asJson ? `${JSON.stringify(document, null, 2)}\n` : `${lines.join("\n")}\n`);
    },
  };
}
