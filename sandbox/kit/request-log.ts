import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Journal } from "./journal.ts";

/**
 * Epoch milliseconds with a fraction, never stepping back within one process: the spacing of requests is
 * judged on it, so a correction of the system clock must not move it.
 */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

const FILE_NAME = "requests.jsonl";

/**
 * `answered`: the whole answer was sent. `lost`: the effect happened or not (see `fault`), and no byte of an
 * answer was sent. `reset`: the stand-in cut the answer. `aborted`: the client left before the end.
 */
export type Ended = "answered" | "lost" | "reset" | "aborted";

/** One request to a stand-in. All times are epoch milliseconds with a fraction, from the real clock. */
export interface LoggedRequest {
  /** From 1, in order of arrival. */
  readonly n: number;
  /** When its head arrived: the spacing of downloads is judged on this. */
  readonly atMs: number;
  /** Kind of the scripted fault that was played. */
  readonly fault?: string | undefined;
  /** The status and error code decided on, whether or not they reached the client. */
  readonly status?: number | undefined;
  readonly code?: string | undefined;
  /** Bytes of the body handed to the connection. */
  readonly bytesSent?: number | undefined;
  readonly outcome: "pending" | Ended;
  readonly endedAtMs?: number | undefined;
}

/** Every request since the start or the last clearing, each with the `Details` of its stand-in. */
export class RequestLog<Details extends object> {
  readonly #entries: Map<number, LoggedRequest & Details>;
  readonly #journal: Journal<LoggedRequest & Details> | undefined;
  #begun: number;

  /**
   * @param folder keeps the log over restarts, in `requests.jsonl`: one line when a request arrives, one with the
   * same `n` when it ends. Without it the log lies in memory.
   */
  constructor(folder?: string) {
    this.#journal = folder === undefined ? undefined : new Journal(join(folder, FILE_NAME));
    this.#entries = lastOfEach(this.#journal?.entries ?? []);
    this.#begun = this.#entries.size;
    for (const { n, outcome } of this.#entries.values()) {
      if (outcome === "pending") {
        // The process that should have answered was killed.
        this.update(n, { outcome: "lost" });
      }
    }
  }

  /** @returns the request's number. */
  begin(atMs: number, details: Details): number {
    this.#begun += 1;
    this.#write({ ...details, n: this.#begun, atMs, outcome: "pending" });
    return this.#begun;
  }

  /** Adds what has become known. Of a request that was cleared away nothing is kept. */
  update(n: number, known: Partial<Omit<LoggedRequest, "n">> | Partial<Details>): void {
    const entry = this.#entries.get(n);
    if (entry !== undefined) {
      this.#write({ ...entry, ...known });
    }
  }

  /** @param after only requests with a greater `n`. */
  read(after = 0): (LoggedRequest & Details)[] {
    return [...this.#entries.values()].filter(({ n }) => n > after);
  }

  clear(): void {
    this.#entries.clear();
  }

  close(): void {
    this.#journal?.close();
  }

  #write(entry: LoggedRequest & Details): void {
    this.#entries.set(entry.n, entry);
    // The log is evidence, not state: it need not outlive the machine.
    this.#journal?.append(entry, false);
  }
}

/** Reads the log of a stand-in that runs no more. */
export function readRequestLog<Entry extends LoggedRequest>(folder: string): Entry[] {
  const path = join(folder, FILE_NAME);
  const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
  return [...lastOfEach(lines.map((line) => JSON.parse(line) as Entry)).values()];
}

/** The last line of each request counts. */
function lastOfEach<Entry extends LoggedRequest>(lines: readonly Entry[]): Map<number, Entry> {
  return new Map(lines.map((entry) => [entry.n, entry]));
}
