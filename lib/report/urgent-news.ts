import type { InventoryReport } from "../catalogue/inventory.ts";
import type { PlatformScope } from "../domain/export-task.ts";
import { DAY_MS } from "../domain/utc-day.ts";
import type { RunReport } from "../records/run-report.ts";
import { damagedOf } from "./findings.ts";
import type { Finding } from "./night.ts";
import type { EarlierNight } from "./night-facts.ts";
import { nightOf } from "./night-of.ts";
import type { UrgentKind } from "./tell-urgent.ts";

/** What somebody may have to hear of at once. */
export interface News {
  readonly findings: readonly Finding[];
  /** The kinds that were looked for: of these, what was not found is over. */
  readonly judged: ReadonlySet<UrgentKind>;
}

/** What a run is judged with. */
export interface RunContext {
  readonly scope: PlatformScope;
  /** The run that ended before it, where that one failed too or is not known to have been well. */
  readonly previous: RunReport | undefined;
  /** The nights before, for the pace at which exports are made. */
  readonly earlier: readonly EarlierNight[];
  readonly nowMs: number;
}

/**
 * What an archive run makes known, by the same rules as a night of these runs. The inventory tells of damage. A run that
 * an operator ended says nothing about the system, and one that did not see the platform nothing about slots.
 */
export function newsOfRun(report: RunReport, { scope, previous, earlier, nowMs }: RunContext): News {
  const { findings } = nightOf({
    scope,
    earlier,
    runs: previous === undefined ? [report] : [previous, report],
    fromMs: nowMs - DAY_MS,
    madeAtMs: Math.max(nowMs, Date.parse(report.endedAt)),
    date: new Date(nowMs).toISOString().slice(0, 10),
    timeZone: "UTC",
    endpoint: "",
    deletion: "after-verify",
    lines: [],
    rules: [],
    notNotified: [],
    unknown: {},
  });
  const judged: UrgentKind[] = ["lost"];
  if (report.platform.held !== undefined) {
    judged.push("loss-near");
  }
  if (report.stopReason !== "aborted") {
    judged.push("system-failing");
  }
  return { findings, judged: new Set(judged) };
}

/** What an inventory makes known. One whose time was over has not looked at everything: it ends no finding. */
export function newsOfInventory({
  damage,
  stopReason,
}: Pick<InventoryReport, "damage" | "stopReason">): News {
  const findings = damage.map(damagedOf);
  return { findings, judged: new Set(stopReason === "done" ? ["damaged"] : []) };
}
