import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import * as v from "valibot";
import { bareEnvironment, ROOT } from "./command-line.ts";

const MAIN = join(import.meta.dirname, "function-host-main.mjs");
const MINUTE_MS = 60_000;
/** Ends a process that goes on although its last call has returned; a busy machine may take long to end one. */
const LEAVING_MS = 240_000;

export interface Call {
  readonly event?: unknown;
  /** What the host says is left of the function's time at the start. Default: 15 minutes. */
  readonly timeLeftMs?: number;
  /** What else the host tells. */
  readonly context?: Readonly<Record<string, unknown>>;
}

const answerSchema = v.object({
  /** What the handler returned; missing when it threw. */
  returned: v.optional(v.unknown()),
  /** The text of what it threw. */
  thrown: v.optional(v.string()),
  /** What was left of its time when it returned. */
  leftMs: v.number(),
  residentBytes: v.number(),
});
export type CallAnswer = v.InferOutput<typeof answerSchema>;

/** A process that runs built functions, as Lambda does: fresh at first, warm for later calls. */
export class FunctionHost {
  readonly #child: ChildProcess;
  readonly #logEnded: Promise<unknown>;
  #log = "";

  private constructor(child: ChildProcess) {
    this.#child = child;
    // By whole lines: the two streams come in pieces that end anywhere.
    const readers = [child.stdout, child.stderr]
      .filter((stream) => stream !== null)
      .map((input) => createInterface({ input }));
    for (const reader of readers) {
      reader.on("line", (line) => {
        this.#log += `${line}\n`;
      });
    }
    this.#logEnded = Promise.all(readers.map((reader) => once(reader, "close")));
  }

  /** What was logged so far; the last lines of a call may come after its answer. */
  get log(): string {
    return this.#log;
  }

  static start(environment: Readonly<Record<string, string>>): FunctionHost {
    const folder = pathToFileURL(join(ROOT, "dist", "functions")).href;
    return new FunctionHost(
      fork(MAIN, [folder], {
        env: { ...bareEnvironment(), ...environment },
        stdio: ["ignore", "pipe", "pipe", "ipc"],
      }),
    );
  }

  async call(name: string, { event = TIMER, timeLeftMs = 15 * MINUTE_MS, context = {} }: Call = {}) {
    const answered = once(this.#child, "message");
    this.#child.send({ name, event, timeLeftMs, context });
    const ended = once(this.#child, "exit").then(async ([code]) => {
      await this.#logEnded;
      throw new Error(`the function's process ended with ${code} before it answered:\n${this.#log}`);
    });
    const [answer] = await Promise.race([answered, ended]);
    ended.catch(() => undefined);
    return v.parse(answerSchema, answer);
  }

  /** Lets the process end on its own. @returns its log. @throws Error when something in it was still under way. */
  async end(): Promise<string> {
    const exited = once(this.#child, "exit");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), LEAVING_MS);
    this.#child.disconnect();
    const [code, signal] = await exited;
    clearTimeout(timer);
    await this.#logEnded;
    const log = this.#log;
    if (code !== 0) {
      throw new Error(`the function's process ended with ${code ?? signal}:\n${log}`);
    }
    return log;
  }
}

const TIMER = { source: "timer", time: "2026-11-22T01:00:00Z" };

/** One call in a fresh process: its answer, and everything that was logged. */
export async function callFresh(
  environment: Readonly<Record<string, string>>,
  name: string,
  call: Call = {},
): Promise<CallAnswer & { readonly log: string }> {
  const host = FunctionHost.start(environment);
  const answer = await host.call(name, call);
  return { ...answer, log: await host.end() };
}

const lineSchema = v.pipe(
  v.string(),
  v.parseJson(),
  v.looseObject({ level: v.string(), message: v.string() }),
);

/** The lines of a log; each one is a JSON document. */
export function linesOf(log: string) {
  return log
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => v.parse(lineSchema, line));
}

/** What the EMF lines of a log tell CloudWatch, one for each call. */
export function metricsOf(log: string): readonly Readonly<Record<string, unknown>>[] {
  return linesOf(log).filter((line) => "_aws" in line);
}
