import type { S3Operation } from "./routes.ts";

/** One request to the store, as it came over the wire. Times are epoch milliseconds of the real clock. */
export interface S3LogEntry {
  /** From 1, in order of arrival. */
  readonly n: number;
  readonly atMs: number;
  readonly operation: S3Operation | "unknown";
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly bucket?: string;
  readonly key?: string;
  readonly query: Readonly<Record<string, string>>;
  /** Lowercase names; all of them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the body was framed as aws-chunked, by what its headers say. */
  readonly awsChunked: boolean;
  /** Of the body as it came over the wire, framing included, and as far as it was read. */
  readonly bodyBytes: number;
  readonly bodySha256?: string;
  /** Kind of the scripted fault that was played. */
  readonly fault?: string;
  /** The status and error code decided on, whether or not they reached the client. */
  readonly status?: number;
  readonly code?: string;
  /**
   * `pending`: not ended yet. `answered`: the whole answer was sent. `lost`: no byte of an answer was sent.
   * `reset`: the answer was cut. `aborted`: the client left before the end.
   */
  readonly outcome: "pending" | "answered" | "lost" | "reset" | "aborted";
  readonly bytesSent?: number;
  readonly endedAtMs?: number;
}

/** The requests since the start or the last clearing, in memory. */
export class S3RequestLog {
  readonly #entries = new Map<number, S3LogEntry>();
  #begun = 0;

  /** @returns the request's number. */
  begin(entry: Omit<S3LogEntry, "n" | "outcome" | "bodyBytes">): number {
    this.#begun += 1;
    this.#entries.set(this.#begun, { n: this.#begun, ...entry, bodyBytes: 0, outcome: "pending" });
    return this.#begun;
  }

  /** Adds what has become known. Of a request that was cleared away nothing is kept. */
  update(n: number, known: Partial<Omit<S3LogEntry, "n">>): void {
    const entry = this.#entries.get(n);
    if (entry !== undefined) {
      this.#entries.set(n, { ...entry, ...known });
    }
  }

  /** @param after only requests with a greater `n`. */
  read(after = 0): S3LogEntry[] {
    return [...this.#entries.values()].filter(({ n }) => n > after);
  }

  clear(): void {
    this.#entries.clear();
  }
}
