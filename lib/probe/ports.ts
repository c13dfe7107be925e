import type { Pacer } from "../pacing/pacer.ts";
import type { Platform } from "../ports/platform.ts";
import type { PlatformAnswers } from "../ports/platform-answers.ts";
import type { RequestSettings } from "../requests/settings.ts";
import type { RunPorts } from "../run/ports.ts";
import type { Evidence } from "./gathering.ts";

/** What a probe reaches the world through. It has no way to delete an export task. */
export interface ProbePorts extends Pick<RunPorts, "store" | "clock" | "random"> {
  readonly platform: Pick<Platform, "listExportTasks" | "createExportTask">;
  readonly answers: PlatformAnswers;
  readonly observe: (event: ProbeEvent) => void;
}

/** What a probe is doing; a wait may take minutes. */
export type ProbeEvent =
  /** `what` completes "Asking …". */
  | { readonly kind: "asking"; readonly what: string }
  | { readonly kind: "waiting-for-slot"; readonly waitMs: number }
  | { readonly kind: "waiting-for-export"; readonly exportTaskId: string }
  | { readonly kind: "pace-unshared" }
  | { readonly kind: "pacing-state-corrupt" };

/** What a probe has sent. */
export interface RequestCounts {
  lists: number;
  creates: number;
  downloads: number;
}

/** What may stay on the platform of a probe. */
export type Left =
  | { readonly kind: "export"; readonly exportTaskId: string }
  /** The create was sent, and nothing says whether an export was made. */
  | { readonly kind: "perhaps"; readonly batchTaskId: string };

/** What the questions of one probe share. */
export interface ProbeRun {
  readonly runId: string;
  readonly ports: ProbePorts;
  readonly settings: RequestSettings;
  readonly pacer: Pacer;
  readonly evidence: Evidence;
  readonly requests: RequestCounts;
  readonly signal: AbortSignal;
}
