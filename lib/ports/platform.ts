import { ArchiverError, type ErrorFacts } from "../domain/errors.ts";
import type { ExportTask } from "../domain/export-task.ts";

/** Every call takes a signal; implementations settle soon after it is aborted, rejecting with its reason. */
export interface CallOptions {
  readonly signal: AbortSignal;
}

/** A list item that cannot be understood. It holds a place on the platform; what else it is, is unknown. */
export interface OddItem {
  /** Its place in the list, counted from 0. */
  readonly index: number;
  /** The field that is odd; `undefined` when the whole item is. */
  readonly field: string | undefined;
  /** What is wrong with it, quoting nothing of it. */
  readonly problem: string;
  /** Its id where that is text, well-formed or not; at most 256 characters. */
  readonly id: string | undefined;
  /** What the sibling rule compares; `undefined` where any part of it cannot be read. */
  readonly condition:
    | Pick<ExportTask, "resourceType" | "resourceCondition" | "appType" | "appId">
    | undefined;
}

/** All export tasks at one time. */
export interface ExportTaskListing {
  /** Every page joined, newest first, each id once. */
  readonly tasks: readonly ExportTask[];
  /** What else the list holds. With such items it proves the absence of no task, unless each has another id. */
  readonly oddItems: readonly OddItem[];
  /** The platform's `Date` header of the first page, epoch milliseconds; for the clock check. */
  readonly platformDateMs: number | undefined;
}

/** An open download: the status was 200 and the first bytes are not an error in disguise. */
export interface ExportDownload {
  /** From `Content-Length`; `undefined` when the answer had none. */
  readonly contentLengthBytes: number | undefined;
  /**
   * The bytes as sent, never decoded. Throws {@link PlatformError} when the connection fails. Iterate at most once. A chunk is
   * valid until the next one is asked for: its buffer is then filled again.
   */
  readonly body: AsyncIterable<Uint8Array>;
  /** Drops the connection; safe at any time and more than once. */
  cancel(): void;
}

/** For requests that may be written for a moment only: connecting can take longer than that. */
export interface TimedCallOptions extends CallOptions {
  /**
   * Called when the connection stands; the request is written as soon as it returns or resolves. What it throws
   * rejects the call and nothing is sent: this is where a download waits for its slot, and a delete is refused
   * whose list has grown too old (I1).
   */
  readonly beforeRequest?: () => void | Promise<void>;
}

/** What a new export is made from (iotda-api §1.2). */
export interface CreateExportTaskRequest {
  readonly resourceCondition: Readonly<Record<string, unknown>>;
  readonly appType?: "GLOBAL" | "APP";
  readonly appId?: string;
}

/** The four operations of the platform, by their operation ids (iotda-api §1). */
export interface Platform {
  /** A fresh list, paged to its end. An error is never an empty list. */
  listExportTasks(options: CallOptions): Promise<ExportTaskListing>;
  /** The download. Counts against the platform's pace whatever comes of it. Never retried inside. */
  showExportTask(exportTaskId: string, options: TimedCallOptions): Promise<ExportDownload>;
  /** One delete request, never retried inside. Resolves on 204; an unknown id throws `platform-task-not-found`. */
  deleteExportTask(exportTaskId: string, options: TimedCallOptions): Promise<void>;
  /** Asks for a new export. Never retried inside. */
  createExportTask(request: CreateExportTaskRequest, options: TimedCallOptions): Promise<ExportTask>;
}

/** Every way a platform call fails; the table behind it is `lib/iotda/error-table.ts`. */
export type PlatformErrorCode =
  /** 403 `IOTDA.021101` / `IOTDA.021102`, 403 with an unknown code, 429. Carries `throttle`. */
  | "platform-throttled"
  /** 404 with an `IOTDA.` code other than `IOTDA.000029`. Proof of nothing without a list. */
  | "platform-task-not-found"
  /** 401, or a token the platform does not accept. */
  | "platform-unauthenticated"
  /** 403 for lack of permission, subscription or application. */
  | "platform-forbidden"
  /** 404 of the gateway, `IOTDA.000029`, a redirect, a standard signature where a derived one is needed. */
  | "platform-misconfigured"
  /** 400: the request itself was refused. */
  | "platform-rejected-request"
  /** 5xx. */
  | "platform-unavailable"
  /** No whole answer: refused, reset, name not found, or one of our time limits. */
  | "platform-unreachable"
  /** A 200 that is an error in disguise: JSON with an unknown `error_code`, or HTML. */
  | "platform-disguised-error"
  /** An answer that does not match the documented shape. */
  | "platform-malformed-answer";

/** How far a throttling answer asks us to stay away. */
export interface Throttle {
  /** Download intervals to wait: 1 for `IOTDA.021101`, 2 for `IOTDA.021102` and 429 (architecture §5). */
  readonly intervals: number;
  /** From `Retry-After`, when there was one. */
  readonly retryAfterMs: number | undefined;
}

export interface PlatformErrorFacts extends ErrorFacts {
  readonly httpStatus?: number | undefined;
  /** The platform's own `error_code`. */
  readonly platformCode?: string | undefined;
  readonly requestId?: string | undefined;
  readonly throttle?: Throttle | undefined;
}

export class PlatformError extends ArchiverError {
  declare readonly code: PlatformErrorCode;
  readonly httpStatus: number | undefined;
  readonly platformCode: string | undefined;
  readonly requestId: string | undefined;
  /** Set exactly when `code` is `platform-throttled`. */
  readonly throttle: Throttle | undefined;

  constructor(code: PlatformErrorCode, message: string, facts: PlatformErrorFacts) {
    super(code, message, facts);
    this.httpStatus = facts.httpStatus;
    this.platformCode = facts.platformCode;
    this.requestId = facts.requestId;
    this.throttle = facts.throttle;
  }
}
