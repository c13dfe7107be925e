import { type InventoryReport, inventory } from "../lib/catalogue/inventory.ts";
import { readConfiguration } from "../lib/config/configuration.ts";
import { wireInventory } from "../lib/config/inventory-wiring.ts";
import { functionHandler } from "../lib/hosted/function-host.ts";
import { frameOfFailure, warningLogger } from "../lib/hosted/logs.ts";
import { metricsOfInventory } from "../lib/hosted/metrics.ts";
import type { FunctionLog } from "../lib/observability/function-log.ts";

const NEED = new Set(["platform", "store"] as const);

/**
 * Brings the catalogue up to date, reads copies again, and says what is damaged and what no record names. It removes
 * nothing. A timer starts it. Returns the report; a system failure is in it, not thrown.
 */
export const handler = functionHandler<InventoryReport>({
  async work({ environment, limitMs, signal, log, redactor }) {
    const configuration = readConfiguration(environment, NEED);
    const wired = await wireInventory(configuration, redactor, warningLogger(log));
    try {
      const report = await inventory(wired.ports, wired.settings, { signal, limitMs });
      log.keep({ runId: report.runId });
      logFindings(report, log);
      return { report, failure: report.failure, metrics: metricsOfInventory(report) };
    } finally {
      wired.close();
    }
  },
  failed: (failure) => ({
    ...frameOfFailure(failure),
    stopReason: "system-failure",
    counts: {
      exports: 0,
      objects: 0,
      read: 0,
      damaged: 0,
      orphans: 0,
      monthsWritten: 0,
      monthsInConflict: 0,
    },
    damage: [],
    orphans: [],
    unremoved: [],
    abortedUploads: [],
    youngUploads: 0,
  }),
});

function logFindings({ damage, orphans, unremoved, ...summary }: InventoryReport, log: FunctionLog): void {
  for (const entry of damage) {
    log.error("damage", { entry });
  }
  for (const entry of orphans) {
    log.warn("orphan", { entry });
  }
  for (const entry of unremoved) {
    log.warn("unremoved", { entry });
  }
  const { verification, leftAlone } = summary;
  for (const item of leftAlone?.items ?? []) {
    log.warn("left-alone", { item });
  }
  if (verification?.isLimitKept === false) {
    const { limitDays, missedFrom, budgetBytesPerDay, neededBytesPerDay } = verification;
    log.warn("verification-limit", { limitDays, missedFrom, budgetBytesPerDay, neededBytesPerDay });
  }
  if (verification?.drill?.result === "failed") {
    log.error("drill-failed", { drill: verification.drill });
  }
  log.info("inventory-ended", { report: summary });
}
