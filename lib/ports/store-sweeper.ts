import type { CallOptions } from "./platform.ts";

/** An upload that was begun and neither completed nor aborted. */
export interface OpenUpload {
  /** Of the object it would have become. */
  readonly key: string;
  /** What tells it from others of the same key. Opaque. */
  readonly uploadId: string;
  /** When it was begun or, where the store can tell, last written to; by the store's clock. */
  readonly initiatedAtMs: number;
}

/** What `sweep` needs of a store, and no archive run does: seeing and removing what was left behind. */
export interface StoreSweeper {
  /** Every upload that is open below the prefix. */
  listUploads(prefix: string, options: CallOptions): AsyncIterable<OpenUpload>;
  /** Aborts one upload. @returns whether it was still open. */
  abortUpload(key: string, uploadId: string, options: CallOptions): Promise<boolean>;
  /** Removes one object; on a versioned bucket its versions stay. That there is none is as good. */
  removeObject(key: string, options: CallOptions): Promise<void>;
}
