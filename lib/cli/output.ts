import { harmlessJson } from "../domain/harmless-text.ts";
import { withoutSecrets } from "./shown-secrets.ts";
import { type Line, lineWriter, type Screen } from "./terminal.ts";

/** Where a command's result goes: one JSON document, or lines for a person. Progress goes elsewhere. */
export interface Output {
  show(document: object, lines: readonly Line[]): void;
}

/** Writes to stdout as `--json` says; lines are broken between words on a terminal, and nowhere else. */
export async function createOutput(stdout: Screen, asJson: boolean): Promise<Output> {
  if (asJson) {
    return {
      show(document) {
        stdout.write(`${harmlessJson(JSON.stringify(document, withoutSecretTexts, 2))}\n`);
      },
    };
  }
  const write = await lineWriter(stdout);
  return { show: (_document, lines) => write(lines) };
}

/** Each text on its own: the document stays one. */
function withoutSecretTexts(_name: string, value: unknown): unknown {
  return typeof value === "string" ? withoutSecrets(value) : value;
}
