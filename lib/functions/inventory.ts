import { type InventoryReport, inventory, NOTHING_COUNTED } from "../catalogue/inventory.ts";
import type { RepairReport } from "../catalogue/repair.ts";
import { readConfiguration } from "../config/configuration.ts";
import { wireInventory } from "../config/inventory-wiring.ts";
import { compact } from "../domain/compact.ts";
import type { FunctionWork } from "../hosted/function-host.ts";
import { frameOfFailure, logGuessedRegion, warningLogger } from "../hosted/logs.ts";
import { metricsOfInventory } from "../hosted/metrics.ts";
import type { FunctionLog } from "../observability/function-log.ts";

/** The report, and what came of damaged copies whose task is still on the platform. */
type InventoryRunReport = InventoryReport & { readonly repair?: RepairReport };

const NEED = new Set(["platform", "store", "queue"] as const);

/**
 * Brings the catalogue up to date, reads copies again, and says what is damaged and what no record names. Damaged exports
 * that the platform still has are enqueued. It removes nothing. A timer starts it. Returns the report; a system failure
 * is in it, not thrown.
 */
export const inventoryFunction: FunctionWork<InventoryRunReport> = {
  async work({ environment, agencyKeys, limitMs, signal, log, redactor }) {
    const configuration = readConfiguration(environment, NEED, { agencyKeys });
    logGuessedRegion(log, configuration.platform);
    const wired = await wireInventory(configuration, redactor, warningLogger(log));
    try {
      const found = await inventory(wired.ports, wired.settings, { signal, limitMs });
      log.keep({ runId: found.runId });
      logFindings(found, log);
      const repair = await wired.repair(found, { signal });
      logRepair(repair, log);
      const report = { ...found, ...compact({ repair }) };
      return { report, failure: found.failure ?? repair?.failure, metrics: metricsOfInventory(found) };
    } finally {
      await wired.close();
    }
  },
  failed: (failure) => ({
    ...frameOfFailure(failure),
    stopReason: "system-failure",
    counts: NOTHING_COUNTED,
    damage: [],
    orphans: [],
    unremoved: [],
    abortedUploads: [],
    youngUploads: 0,
  }),
};

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

function logRepair(repair: RepairReport | undefined, log: FunctionLog): void {
  if (repair === undefined) {
    return;
  }
  for (const entry of repair.unrepaired) {
    log.warn("unrepaired", { entry });
  }
  log.info("repair-ended", { enqueued: repair.enqueued });
}
