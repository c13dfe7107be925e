import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Operation } from "./faults.ts";
import { type LoggedRequest, lastOfEach } from "./kit/request-log.ts";

/** What the platform logs of a request besides what every stand-in does. */
export interface PlatformRequestDetails {
  readonly operation: Operation | "unknown";
  readonly exportTaskId?: string | undefined;
  /** Refused for its pace; a scripted throttling answer shows as `fault`. */
  readonly throttled?: boolean | undefined;
  /** Which file of the task the body is; only with a file. */
  readonly generation?: number | undefined;
  /** SHA-256 of exactly the bytes of the body that were handed to the connection. */
  readonly sha256?: string | undefined;
  /** When the head of the answer was written; absent when none was. */
  readonly startedAtMs?: number | undefined;
}

/** One request to the platform; `n` goes on over restarts. */
export type RequestLogEntry = LoggedRequest & PlatformRequestDetails;

export const LOG_FILE = "requests.jsonl";

/** Reads the log of a sandbox that runs no more. */
export function readRequestLog(stateFolder: string): RequestLogEntry[] {
  const path = join(stateFolder, LOG_FILE);
  const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
  return [...lastOfEach(lines.map((line) => JSON.parse(line) as RequestLogEntry)).values()];
}
