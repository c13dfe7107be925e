import type { CallOptions, TimedCallOptions } from "./platform.ts";

/** One page of the list as the platform wrote it. */
export interface ListPageAnswer {
  /** The total as the platform counts it. */
  readonly totalCount: number | undefined;
  readonly marker: string | undefined;
  /** Of the last item, where it is text. */
  readonly lastExportTaskId: string | undefined;
}

/** The answer to a download, with status 200 and no error in disguise. */
export interface FileAnswer {
  /** By lowercase name; only headers that can carry no key and no signed address. */
  readonly headers: ReadonlyMap<string, string>;
  /** The first bytes of the body, as many as were asked for. */
  readonly beginning: Uint8Array;
  /** Nothing follows `beginning`. */
  readonly isWhole: boolean;
}

export interface FileAnswerOptions extends TimedCallOptions {
  /** How much of the body is read at most; the rest is never fetched. */
  readonly maxBytes: number;
}

/**
 * The platform's answers with what {@link Platform} leaves out, for one who asks what the platform does. Every method
 * sends one request, has a limit of time for it, and throws `PlatformError` as those of `Platform` do.
 */
export interface PlatformAnswers {
  /** @param offset records to skip; one that is out of range is sent as well. */
  askForListPage(offset: number, options: CallOptions): Promise<ListPageAnswer>;
  /** Counts as a download, whatever comes of it. */
  askForFile(exportTaskId: string, options: FileAnswerOptions): Promise<FileAnswer>;
}
