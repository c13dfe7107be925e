import type { FaultRule, Operation } from "./faults.ts";
import type { FaultProgress } from "./kit/faults.ts";
import type { LoggedRequest } from "./kit/request-log.ts";
import type { MadeFile, Removal } from "./state.ts";

/** Everything below this path is the sandbox's own, and no part of the platform. */
export const CONTROL_PREFIX = "/__sandbox";

/** A task as the control shows it. */
export interface TaskView extends MadeFile {
  /** Its status now. */
  readonly status: string;
  readonly createTime: string;
  /** The end time, also while it is still ahead. */
  readonly endTime: string | undefined;
  readonly exportCount: number;
  readonly condition: Readonly<Record<string, unknown>>;
}

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

/** A file body that went out, whole or not. */
export interface ServedBody extends Pick<RequestLogEntry, "n" | "outcome"> {
  readonly exportTaskId: string;
  readonly generation: number;
  readonly bytesSent: number;
  readonly sha256: string;
}

/** The whole truth about the platform: what tests compare an archive with. */
export interface StateView {
  /** Newest first, as listed. */
  readonly tasks: readonly TaskView[];
  /** Every result file ever made, in order. */
  readonly files: readonly MadeFile[];
  /** Every task and overwritten file that is gone, in order. */
  readonly removals: readonly Removal[];
  readonly served: readonly ServedBody[];
  readonly faults: readonly FaultProgress<FaultRule>[];
  /** Epoch milliseconds; when the pace window began. */
  readonly lastDownloadMs: number | undefined;
}
