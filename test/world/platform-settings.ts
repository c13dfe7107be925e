import type { ThrottleAnswer } from "./port-errors.ts";
import type { Latency } from "./seeded-random.ts";

/** Rules of the platform; a test may change them while the world runs. */
export interface PlatformSettings {
  listLatency: Latency;
  /** Connecting, before the download request is written. */
  connectLatency: Latency;
  firstByteLatency: Latency;
  chunkLatency: Latency;
  chunkBytes: number;
  deleteLatency: Latency;
  createLatency: Latency;
  /** Tasks kept; one more removes the earliest (iotda-api §1.6). */
  taskLimit: number;
  unfinishedLimit: number;
  /** Download starts closer than this are refused. */
  minSpacingMs: number;
  /** Whether a refused download starts the spacing again (iotda-api §1.6: assume yes). */
  refusedCounts: boolean;
  throttleAnswer: ThrottleAnswer;
  retryAfterMs: number | undefined;
  /** How long a created export is `Processing`. */
  processingMs: Latency;
  /** What a same-condition create does besides overwriting the file; undocumented, so both must be survived. */
  sameCondition: "keeps-id" | "new-id";
  /** Whether a delete takes a file away that a sibling of the same condition still shows. */
  deleteRemovesSharedFile: boolean;
  /** How far the platform's `Date` is ahead of true time; `undefined`: it sends none. */
  dateSkewMs: number | undefined;
}

export const DEFAULT_PLATFORM_SETTINGS: Readonly<PlatformSettings> = {
  listLatency: { minMs: 40, maxMs: 120 },
  connectLatency: { minMs: 10, maxMs: 60 },
  firstByteLatency: { minMs: 50, maxMs: 300 },
  chunkLatency: { minMs: 1, maxMs: 20 },
  chunkBytes: 1024,
  deleteLatency: { minMs: 40, maxMs: 200 },
  createLatency: { minMs: 40, maxMs: 200 },
  taskLimit: 50,
  unfinishedLimit: 5,
  minSpacingMs: 30_000,
  refusedCounts: true,
  throttleAnswer: "IOTDA.021101",
  retryAfterMs: undefined,
  processingMs: { minMs: 5_000, maxMs: 60_000 },
  sameCondition: "new-id",
  deleteRemovesSharedFile: true,
  dateSkewMs: 0,
};
