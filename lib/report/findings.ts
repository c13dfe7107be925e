import type { Damage } from "../catalogue/damage.ts";
import { compact } from "../domain/compact.ts";
import { compareTexts } from "../domain/compare-texts.ts";
import { describeFailure } from "../domain/errors.ts";
import { isOfToday, lastWholeMs } from "../records/inventory-state.ts";
import type { RunReport } from "../records/run-report.ts";
import { judgeExpected, judgeUsual, type MadeExport } from "./expected.ts";
import { areSlotsNearlyUsed, isLossNear } from "./loss.ts";
import type { ExportStanding, Finding, FindingKind, Places, Urgency, Verdict } from "./night.ts";
import { type ExportOfNight, inOrder } from "./night-exports.ts";
import type { NightFacts } from "./night-facts.ts";
import type { SlotsInUse } from "./places.ts";

/** Of each kind a night names at most this many. */
const MAX_OF_A_KIND = 100;
/** What a run that failed without a reason is said to have. */
const UNNAMED_FAILURE = describeFailure(undefined);

/** In the order in which they are shown. */
const URGENCIES: readonly Urgency[] = ["act", "look", "watch"];

/** In the order in which findings of one urgency are shown. */
const URGENCY_OF: Readonly<Record<FindingKind, Urgency>> = {
  "loss-near": "act",
  lost: "look",
  "given-up": "look",
  damaged: "look",
  "system-failing": "look",
  "still-waiting": "look",
  "expected-missing": "look",
  "expected-empty": "look",
  "fewer-than-usual": "look",
  "verification-late": "look",
  "drill-failed": "look",
  "no-inventory": "watch",
  "slots-nearly-used": "watch",
  "expected-late": "watch",
  "dead-letters": "watch",
  orphans: "watch",
  "left-alone": "watch",
  "not-notified": "watch",
};
const KINDS = Object.keys(URGENCY_OF);

/** What a finding makes of the night: `act` and `look` decide on its verdict. */
export function urgencyOf({ kind }: Pick<Finding, "kind">): Urgency {
  return URGENCY_OF[kind];
}

/**
 * The worst wins. That an export may be lost soon is worse than a night without a run, which is worse than all that can
 * wait until somebody has looked.
 */
export function verdictOf(findings: readonly Finding[], hasRun: boolean): Verdict {
  const urgencies = new Set(findings.map(urgencyOf));
  if (urgencies.has("act")) {
    return "act";
  }
  if (!hasRun) {
    return "none";
  }
  return urgencies.has("look") ? "look" : "ok";
}

/** What has been put together of a night before its findings. */
export interface NightParts {
  readonly runs: readonly RunReport[];
  readonly exports: readonly ExportOfNight[];
  readonly made: readonly MadeExport[];
  /** In this night. */
  readonly madeCount: number;
  readonly madePerNight: readonly number[];
  readonly places: Places;
  readonly slots: SlotsInUse;
}

/** Everything that somebody has to do or to know, the most urgent first. */
export function findingsOf(facts: NightFacts, parts: NightParts): readonly Finding[] {
  const { rules, madeAtMs: nowMs, timeZone, notNotified } = facts;
  const expected =
    rules.length === 0
      ? judgeUsual(parts.madeCount, parts.madePerNight)
      : judgeExpected(rules, parts.made, { nowMs, timeZone });
  const all: readonly Finding[] = [
    ...ofSlots(facts, parts),
    ...ofExports(facts, parts.exports),
    ...ofRuns(facts),
    ...expected,
    ...ofInventory(facts),
    ...ofRest(facts, parts.runs),
    ...notNotified,
  ];
  // A sort keeps the order of equals, so each has to be told from the next by what it says.
  const keyed = all.map((finding) => ({ finding, rank: rankOf(finding), text: JSON.stringify(finding) }));
  const sorted = keyed.sort((a, b) => a.rank - b.rank || compareTexts(a.text, b.text));
  const counts = new Map<FindingKind, number>();
  return sorted
    .map(({ finding }) => finding)
    .filter(({ kind }) => {
      const count = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, count);
      return count <= MAX_OF_A_KIND;
    });
}

function rankOf(finding: Finding): number {
  return URGENCIES.indexOf(urgencyOf(finding)) * KINDS.length + KINDS.indexOf(finding.kind);
}

function ofSlots({ madeAtMs }: NightFacts, { places, slots }: NightParts): readonly Finding[] {
  const { held, limit } = places;
  if (held === undefined) {
    return [];
  }
  const isNearlyFull = areSlotsNearlyUsed(held);
  const { oldestUnarchived: exportTaskId, lossFromMs } = slots;
  if (exportTaskId === undefined) {
    return isNearlyFull ? [{ kind: "slots-nearly-used", held, limit }] : [];
  }
  // Where no pace is known, exports may be made at any time.
  const fromMs = lossFromMs ?? madeAtMs;
  const isNear = isLossNear({ held, lossFromMs }, madeAtMs);
  return isNear ? [{ kind: "loss-near", exportTaskId, lossFromMs: fromMs, held, limit }] : [];
}

const LEFT_OVER: ReadonlySet<ExportStanding> = new Set(["waiting", "retried"]);

function ofExports({ fromMs }: NightFacts, exports: readonly ExportOfNight[]): readonly Finding[] {
  const givenUp = exports.flatMap((one): readonly Finding[] => {
    const { exportTaskId, reason = "unknown", givenUpAtMs: atMs, batchTaskId } = one;
    if (atMs === undefined) {
      return [];
    }
    return reason === "source-gone"
      ? [{ kind: "lost", exportTaskId, atMs }]
      : [{ kind: "given-up", exportTaskId, reason, atMs, ...compact({ batchTaskId }) }];
  });
  // A whole night was not enough, whether no run reached it or each attempt failed.
  const [oldest, ...more] = exports
    .flatMap(({ standing, exportTaskId, finishedAtMs }) =>
      LEFT_OVER.has(standing) && finishedAtMs !== undefined && finishedAtMs <= fromMs
        ? [{ exportTaskId, finishedAtMs }]
        : [],
    )
    .sort((a, b) => a.finishedAtMs - b.finishedAtMs || compareTexts(a.exportTaskId, b.exportTaskId));
  return oldest === undefined
    ? givenUp
    : [
        ...givenUp,
        {
          kind: "still-waiting",
          count: 1 + more.length,
          exportTaskId: oldest.exportTaskId,
          sinceMs: oldest.finishedAtMs,
        },
      ];
}

function ofRuns({ runs, madeAtMs }: NightFacts): readonly Finding[] {
  // An operator who ends a run says nothing about the system.
  const judged = inOrder(runs).filter(
    ({ stopReason, endedAt }) => stopReason !== "aborted" && Date.parse(endedAt) <= madeAtMs,
  );
  const lastWell = judged.findLastIndex(({ stopReason }) => stopReason !== "system-failure");
  const failed = judged.slice(lastWell + 1);
  const [first] = failed;
  const last = failed.at(-1);
  return first === undefined || last === undefined
    ? []
    : [
        {
          kind: "system-failing",
          failure: last.failure ?? UNNAMED_FAILURE,
          runs: failed.length,
          sinceMs: Date.parse(first.endedAt),
        },
      ];
}

function ofInventory({ inventory, madeAtMs }: NightFacts): readonly Finding[] {
  if (inventory === undefined) {
    return [{ kind: "no-inventory" }];
  }
  if (inventory === "overwritten") {
    return [];
  }
  const atMs = Date.parse(inventory.startedAt);
  const { damage, verification, counts } = inventory;
  const findings: Finding[] = damage.map(damagedOf);
  if (verification?.isLimitKept === false) {
    const { limitDays, missedFrom } = verification;
    const missedFromMs = missedFrom === undefined ? undefined : Date.parse(missedFrom);
    findings.push({ kind: "verification-late", limitDays, ...compact({ missedFromMs }) });
  }
  if (verification?.drill?.result === "failed") {
    findings.push({ kind: "drill-failed", exportTaskId: verification.drill.exportTaskId, atMs });
  }
  if (counts.orphans > 0) {
    findings.push({ kind: "orphans", count: counts.orphans });
  }
  const lastMs = lastWholeMs(inventory);
  if (lastMs === undefined || !isOfToday(lastMs, madeAtMs)) {
    findings.push({ kind: "no-inventory", ...compact({ lastMs }) });
  }
  return findings;
}

/** The finding about a damaged copy. */
export function damagedOf({
  exportTaskId,
  revision,
  kind,
  key,
}: Damage): Extract<Finding, { kind: "damaged" }> {
  return { kind: "damaged", exportTaskId, revision, damage: kind, key };
}

function ofRest({ deadLetters = 0, platform }: NightFacts, runs: readonly RunReport[]): readonly Finding[] {
  // A later run of the night may have understood what an earlier one did not.
  const leftAlone = Math.max(platform?.oddItems ?? 0, runs.at(-1)?.leftAlone?.count ?? 0);
  return [
    ...(deadLetters > 0 ? [{ kind: "dead-letters", count: deadLetters } as const] : []),
    ...(leftAlone > 0 ? [{ kind: "left-alone", count: leftAlone } as const] : []),
  ];
}
