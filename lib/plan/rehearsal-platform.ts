import { crc32 } from "node:zlib";
import type { ExportTask } from "../domain/export-task.ts";
import {
  type ExportDownload,
  type ExportTaskListing,
  type Platform,
  PlatformError,
  type TimedCallOptions,
} from "../ports/platform.ts";
import type { RehearsalClock } from "./rehearsal-clock.ts";

/**
 * A platform that stands still but for what the rehearsal deletes. Instead of each file it gives a ZIP of a few bytes:
 * the platform tells nothing about a file before it is downloaded.
 */
export class RehearsalPlatform implements Platform {
  readonly #listing: ExportTaskListing;
  readonly #clock: RehearsalClock;
  readonly #deleted = new Map<string, number>();
  readonly #startedAtMs: number;

  /** @param listing as the real platform gave it when the rehearsal's time began. */
  constructor(listing: ExportTaskListing, clock: RehearsalClock) {
    this.#listing = listing;
    this.#clock = clock;
    this.#startedAtMs = clock.monotonicMs();
  }

  /** The tasks that the rehearsal deleted, with the moments in epoch milliseconds. */
  get deletions(): ReadonlyMap<string, number> {
    return this.#deleted;
  }

  async listExportTasks(): Promise<ExportTaskListing> {
    const { tasks, oddItems, platformDateMs } = this.#listing;
    const passedMs = this.#clock.monotonicMs() - this.#startedAtMs;
    return {
      tasks: tasks.filter(({ exportTaskId }) => !this.#deleted.has(exportTaskId)),
      oddItems,
      platformDateMs: platformDateMs === undefined ? undefined : platformDateMs + passedMs,
    };
  }

  async showExportTask(
    exportTaskId: string,
    { signal, beforeRequest }: TimedCallOptions,
  ): Promise<ExportDownload> {
    signal.throwIfAborted();
    await beforeRequest?.();
    this.#requireListed(exportTaskId);
    const file = tinyZip(exportTaskId);
    return { contentLengthBytes: file.length, body: inOnePiece(file), cancel: () => undefined };
  }

  async deleteExportTask(exportTaskId: string, { signal, beforeRequest }: TimedCallOptions): Promise<void> {
    signal.throwIfAborted();
    await beforeRequest?.();
    this.#requireListed(exportTaskId);
    this.#deleted.set(exportTaskId, this.#clock.wallMs());
  }

  async createExportTask(): Promise<ExportTask> {
    throw new PlatformError("platform-rejected-request", "a rehearsal creates no export", {
      scope: "task",
      retry: "never",
      hint: "This is a fault of the program.",
    });
  }

  #requireListed(exportTaskId: string): void {
    const isListed = this.#listing.tasks.some((task) => task.exportTaskId === exportTaskId);
    if (!isListed || this.#deleted.has(exportTaskId)) {
      throw new PlatformError("platform-task-not-found", `the list does not show ${exportTaskId}`, {
        scope: "task",
        retry: "later",
        hint: "The next list decides.",
      });
    }
  }
}

async function* inOnePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** A whole ZIP with one stored member that holds the id: the bytes differ from export to export. */
function tinyZip(exportTaskId: string): Uint8Array {
  const content = Buffer.from(exportTaskId, "utf8");
  const name = Buffer.from("rehearsed", "latin1");
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt32LE(crc32(content), 10);
  common.writeUInt32LE(content.length, 14);
  common.writeUInt32LE(content.length, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([signature(0x04034b50), common, name, content]);
  const versionMadeBy = Buffer.from([20, 0]);
  const directory = Buffer.concat([signature(0x02014b50), versionMadeBy, common, Buffer.alloc(14), name]);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, directory, end]);
}

function signature(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(number);
  return bytes;
}
