import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Operation } from "./faults.ts";
import { Journal } from "./journal.ts";

/**
 * `pending`: not ended yet. `answered`: the whole answer was sent. `lost`: the effect happened or not (see
 * `fault`), and no byte of an answer was sent. `reset`: the sandbox cut the answer. `aborted`: the client
 * left before the end.
 */
export type Outcome = "pending" | "answered" | "lost" | "reset" | "aborted";

/** One request to the platform. All times are epoch milliseconds with a fraction, from the real clock. */
export interface RequestLogEntry {
  /** From 1, in order of arrival, over restarts. */
  readonly n: number;
  /** When its head arrived: the spacing of downloads is judged on this. */
  readonly atMs: number;
  readonly operation: Operation | "unknown";
  readonly exportTaskId?: string;
  /** The status decided on, whether or not it reached the client. */
  readonly status?: number;
  /** The `error_code` of the answer. */
  readonly code?: string;
  /** Refused for its pace; a scripted throttling answer shows as `fault`. */
  readonly throttled?: boolean;
  /** Kind of the scripted fault that was played. */
  readonly fault?: string;
  /** Which file of the task the body is; only with a file. */
  readonly generation?: number;
  /** Bytes of the body handed to the connection, and the SHA-256 of exactly those. */
  readonly bytesSent?: number;
  readonly sha256?: string;
  readonly outcome: Outcome;
  /** When the head of the answer was written; absent when none was. */
  readonly startedAtMs?: number;
  readonly endedAtMs?: number;
}

/** What is known about a request when it ends. */
export type RequestEnd = Omit<RequestLogEntry, "n" | "atMs" | "operation" | "outcome"> & {
  readonly outcome: Exclude<Outcome, "pending">;
};

const FILE_NAME = "requests.jsonl";

/**
 * Every request, in memory and in `requests.jsonl` of the state folder: one line when it arrives, one with
 * the same `n` when it ends; the last line of an `n` counts.
 */
export class RequestLog {
  readonly #journal: Journal<RequestLogEntry>;
  readonly #entries: Map<number, RequestLogEntry>;

  constructor(folder: string) {
    this.#journal = new Journal(join(folder, FILE_NAME));
    this.#entries = latest(this.#journal.entries);
    for (const entry of this.#entries.values()) {
      if (entry.outcome === "pending") {
        // The process that should have answered was killed.
        this.#write({ ...entry, outcome: "lost" });
      }
    }
  }

  begin(atMs: number, operation: RequestLogEntry["operation"], exportTaskId: string | undefined): number {
    const n = this.#entries.size + 1;
    const id = exportTaskId === undefined ? {} : { exportTaskId };
    this.#write({ n, atMs, operation, ...id, outcome: "pending" });
    return n;
  }

  end(n: number, end: RequestEnd): void {
    const begun = this.#entries.get(n);
    if (begun !== undefined) {
      this.#write({ ...begun, ...end });
    }
  }

  /** @param after only requests with a greater `n`. */
  read(after = 0): RequestLogEntry[] {
    return [...this.#entries.values()].filter((entry) => entry.n > after);
  }

  close(): void {
    this.#journal.close();
  }

  #write(entry: RequestLogEntry): void {
    this.#entries.set(entry.n, entry);
    // The log is evidence, not state: it need not outlive the machine.
    this.#journal.append(entry, false);
  }
}

/** Reads the log of a sandbox that runs no more. */
export function readRequestLog(stateFolder: string): RequestLogEntry[] {
  const path = join(stateFolder, FILE_NAME);
  const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
  return [...latest(lines.map((line) => JSON.parse(line) as RequestLogEntry)).values()];
}

function latest(entries: readonly RequestLogEntry[]): Map<number, RequestLogEntry> {
  return new Map(entries.map((entry) => [entry.n, entry]));
}
