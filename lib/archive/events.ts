import type { Failure } from "../domain/errors.ts";
import type { LeftAlone } from "../domain/left-alone.ts";
import type { RunReport, TaskEntry } from "../records/run-report.ts";
import type { RunPorts } from "../run/ports.ts";

/**
 * Everything a run tells while it works: what logs, metrics and the live view are made of. Moments are
 * epoch milliseconds.
 */
export type ArchiveEvent =
  | {
      readonly kind: "run-started";
      readonly runId: string;
      readonly pacing: "shared" | "unshared";
      readonly held: number;
      /** The export that the platform destroys first when its slots are full. */
      readonly oldest?: string;
      readonly deletion: "after-verify" | "never";
    }
  | { readonly kind: "listed"; readonly held: number; readonly oldest?: string }
  | { readonly kind: "task-started"; readonly exportTaskId: string; readonly attempts: number }
  | { readonly kind: "slot-awaited"; readonly exportTaskId: string; readonly startsAtMs: number }
  | {
      readonly kind: "download-started";
      readonly exportTaskId: string;
      readonly idempotencyKey: string;
      readonly expectedSizeBytes: number | undefined;
    }
  | { readonly kind: "bytes"; readonly exportTaskId: string; readonly receivedBytes: number }
  | { readonly kind: "verifying"; readonly exportTaskId: string }
  | {
      readonly kind: "archived";
      readonly exportTaskId: string;
      readonly idempotencyKey: string;
      readonly key: string;
      readonly sizeBytes: number;
      readonly sha256: string;
      readonly adopted: boolean;
    }
  | { readonly kind: "deleted"; readonly exportTaskId: string; readonly outcome: "deleted" | "already-gone" }
  | { readonly kind: "throttled"; readonly exportTaskId: string; readonly waitMs: number }
  | {
      readonly kind: "failed";
      readonly exportTaskId: string;
      readonly failure: Failure;
      readonly verdict: "attempt" | "held";
    }
  | { readonly kind: "verification-failed"; readonly exportTaskId: string; readonly failure: Failure }
  /** An export is gone from the platform and was never archived. */
  | { readonly kind: "export-lost"; readonly exportTaskId: string; readonly detail: string }
  /** The visibility timeout of a message ran out while it was worked on; harmless, but worth knowing. */
  | { readonly kind: "lease-lost"; readonly exportTaskId: string | undefined }
  /** Something that cannot be understood was left as it is; everything else goes on. */
  | { readonly kind: "left-alone"; readonly item: LeftAlone }
  | { readonly kind: "warning"; readonly code: string; readonly message: string }
  | { readonly kind: "task-ended"; readonly entry: TaskEntry; readonly delayMs: number | undefined }
  /** Nothing is ready; the next message is due at `untilMs`, unless another run settles it before. */
  | {
      readonly kind: "idle";
      readonly untilMs: number;
      readonly delayed: number;
      /** With other runs, or left by one that died. */
      readonly inFlight: number;
      /** False where a wait goes on and only its facts have changed: each lease that another run renews does that. */
      readonly isNew: boolean;
    }
  | { readonly kind: "run-ended"; readonly report: RunReport };

/** Takes events; must not throw and must not wait. */
export type Observe = (event: ArchiveEvent) => void;

/** Everything an archive run reaches the world through. Nothing else in this folder touches it. */
export interface ArchivePorts extends RunPorts {
  readonly observe: Observe;
}
