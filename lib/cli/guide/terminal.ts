import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { harmlessText } from "../../domain/harmless-text.ts";
import { InterruptedByOperator } from "../operator.ts";
import { lineWriter, shownSecrets } from "../output.ts";
import type { Question, Talk } from "./talk.ts";

/** A talk on the terminal of this process; the lines go to stderr, as everything but a result. */
export interface TerminalTalk extends Talk {
  /** Gives the terminal back as it was. */
  close(): void;
}

/** Opens a talk on stdin and stderr, which both are a terminal. */
export async function openTerminal(): Promise<TerminalTalk> {
  const { stdin, stderr } = process;
  const write = await lineWriter(stderr);
  const screen = new Screen(stderr);
  // An answer that the arrow keys bring back could be a key.
  const reader = createInterface({ input: stdin, output: screen, terminal: true, historySize: 0 });
  const ended = new AbortController();
  const end = () => ended.abort(new InterruptedByOperator());
  reader.on("SIGINT", end);
  // Ctrl-D, and a terminal that is gone.
  reader.on("close", end);
  return {
    say(...lines) {
      write(lines);
    },
    async ask({ text, preset, isSecret = false }: Question) {
      screen.isQuiet = false;
      try {
        const asked = reader.question(promptOf(text, preset, isSecret), { signal: ended.signal });
        // Until the next question, so that what is typed ahead of it is not shown either.
        screen.isQuiet = isSecret;
        const answer = (await asked).trim();
        if (isSecret) {
          shownSecrets.learn([answer]);
        }
        return answer === "" ? (preset ?? "") : answer;
      } catch (error) {
        throw ended.signal.aborted ? ended.signal.reason : error;
      } finally {
        if (isSecret || ended.signal.aborted) {
          stderr.write("\n");
        }
      }
    },
    close() {
      reader.close();
    },
  };
}

function promptOf(text: string, preset: string | undefined, isSecret: boolean): string {
  const shown = isSecret ? "the one that is set" : harmlessText(shownSecrets.text(preset ?? ""));
  return `${text}${preset === undefined ? "" : ` [${shown}]`}${text.endsWith("?") ? " " : ": "}`;
}

/** What the reader of lines writes: the question, and what is typed unless that is secret. */
class Screen extends Writable {
  isQuiet = false;
  readonly #terminal: NodeJS.WriteStream;

  constructor(terminal: NodeJS.WriteStream) {
    super({ decodeStrings: false });
    this.#terminal = terminal;
  }

  /** The reader moves its cursor by it. */
  get columns(): number {
    return this.#terminal.columns;
  }

  override _write(text: string, _encoding: BufferEncoding, done: () => void): void {
    if (!this.isQuiet) {
      this.#terminal.write(text);
    }
    done();
  }
}
