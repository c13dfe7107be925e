import type { FaultRule } from "./faults.ts";
import type { FaultProgress } from "./kit/faults.ts";
import type { RequestLogEntry } from "./request-log.ts";
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
