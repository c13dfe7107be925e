/** Bytes of an answer, as they will go over the wire. */
export type Bytes = AsyncIterable<Buffer>;

/**
 * How an answer ends. `whole`: as HTTP wants it. `closed`: the connection closes after the last byte given,
 * whatever length was declared. `reset`: the same with a TCP reset. `lost`: a reset before the first byte.
 */
export type Ending = "whole" | "closed" | "reset" | "lost";

/** An answer before it is sent; faults change it. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The error code in the body, for the request log. */
  readonly code?: string;
  readonly body: Bytes;
  /** How many bytes `body` has. */
  readonly sizeBytes: number;
  /** `length`: under Content-Length. `chunked`. `close`: no length, the close is the end. */
  readonly framing: "length" | "chunked" | "close";
  readonly ending: Ending;
  /** The task it is about, when the path does not say. */
  readonly exportTaskId?: string;
  /** Which file of the task the body is; only a file has one. */
  readonly generation?: number;
  /** Frees what `body` reads from; called once, sent or not. */
  readonly release?: () => Promise<void>;
}

/** An answer with a JSON body. */
export function jsonAnswer(status: number, value: unknown, headers: Record<string, string> = {}): Answer {
  return jsonTextAnswer(status, JSON.stringify(value), headers);
}

/** An answer with a JSON body that is written already. */
export function jsonTextAnswer(status: number, text: string, headers: Record<string, string> = {}): Answer {
  const bytes = Buffer.from(text, "utf8");
  return bufferAnswer(status, bytes, { "Content-Type": "application/json;charset=UTF-8", ...headers });
}

/** An answer with these bytes. */
export function bufferAnswer(
  status: number,
  bytes: Buffer,
  headers: Readonly<Record<string, string>>,
): Answer {
  return { status, headers, body: once(bytes), sizeBytes: bytes.length, framing: "length", ending: "whole" };
}

export function emptyAnswer(status: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return bufferAnswer(status, Buffer.alloc(0), headers);
}

/** No answer: the connection is reset. */
export function lostAnswer(): Answer {
  return { ...emptyAnswer(500), ending: "lost" };
}

async function* once(bytes: Buffer): Bytes {
  if (bytes.length > 0) {
    yield bytes;
  }
}
