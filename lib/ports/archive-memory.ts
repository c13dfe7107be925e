import type { CallOptions } from "./platform.ts";

/** Where a machine keeps the id of the archive it works with, apart from the archive itself. */
export interface ArchiveMemory {
  /** The id of the archive that was worked with; `undefined` before the first one. An error is never "none". */
  recall(options: CallOptions): Promise<string | undefined>;
  /**
   * Remembers this id unless one is remembered by now: of two programs that open their first archive at once, the
   * first decides. Durable when it resolves.
   * @returns the id that is remembered.
   */
  rememberFirst(archiveId: string, options: CallOptions): Promise<string>;
  /** Remembers this id, and forgets the one before. Durable when it resolves. */
  remember(archiveId: string, options: CallOptions): Promise<void>;
}
