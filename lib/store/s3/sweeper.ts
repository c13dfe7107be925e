import type { CallOptions } from "../../ports/platform.ts";
import type { OpenUpload } from "./open-uploads.ts";

/** What `sweep` needs of a store, and no archive run does: seeing and removing what was left behind. */
export interface StoreSweeper {
  /** Every upload that is open below the prefix, with its age by the store's clock. */
  listUploads(prefix: string, options: CallOptions): AsyncIterable<OpenUpload>;
  /** Aborts one upload. @returns whether it was still open. */
  abortUpload(key: string, uploadId: string, options: CallOptions): Promise<boolean>;
  /** Removes one object; on a versioned bucket its versions stay. That there is none is as good. */
  removeObject(key: string, options: CallOptions): Promise<void>;
}
