import type { Finding, FindingKind } from "../night.ts";
import { MADE_AT_MS } from "./night-scene.ts";

const atMs = MADE_AT_MS - 3_600_000;
const exportTaskId = "5f2d9c3a1b2c3d4e5f6a7b8c";
const revision = "9f2234fa";

type Findings = { readonly [Kind in FindingKind]: Omit<Extract<Finding, { readonly kind: Kind }>, "kind"> };

const BY_KIND: Findings = {
  "loss-near": { exportTaskId, lossFromMs: MADE_AT_MS + 7_200_000, held: 47, limit: 50 },
  lost: { exportTaskId, atMs },
  "given-up": { exportTaskId, reason: "max-attempts", atMs, batchTaskId: "fleet-1" },
  damaged: { exportTaskId, revision, damage: "changed", key: "exports/a.zip" },
  "system-failing": {
    failure: { code: "store-full", message: "the store is full", hint: "Make room." },
    runs: 3,
    sinceMs: atMs,
  },
  "still-waiting": { exportTaskId, count: 2, sinceMs: atMs },
  "expected-missing": { rule: "nightly", expected: 4, found: 1, byMs: atMs, batchTaskId: "fleet-1" },
  "expected-empty": { rule: "nightly", exportTaskId, rows: 0, minRows: 3 },
  "fewer-than-usual": { found: 10, median: 43.5 },
  "verification-late": { limitDays: 90, missedFromMs: atMs },
  "drill-failed": { exportTaskId, atMs },
  "no-inventory": { lastMs: atMs },
  "slots-nearly-used": { held: 46, limit: 50 },
  "expected-late": { rule: "nightly", byMs: atMs, madeAtMs: atMs + 60_000 },
  "dead-letters": { count: 1 },
  orphans: { count: 2 },
  "left-alone": { count: 3 },
  "not-notified": { target: "slack hooks.slack.example", sinceMs: atMs },
};

/** One finding of each kind. */
export const EVERY_FINDING: readonly Finding[] = Object.entries(BY_KIND).map(
  ([kind, rest]) => ({ kind, ...rest }) as Finding,
);
