import { type DiscoverReport, discover } from "../discovery/discover.ts";
import type { RequestsReport } from "../requests/report.ts";
import { serveRequests } from "../requests/serve-requests.ts";
import type { Archiver } from "./wiring.ts";

/** What a discover run returns (architecture §6.4). */
export interface DiscoverRunReport extends DiscoverReport {
  /** What was done about export requests; missing while none is open. */
  readonly requests?: RequestsReport;
}

/**
 * One discover run: enqueues what needs work, then creates exports for open requests. A request may wait, and what
 * the platform holds may not.
 * @throws what `discover` throws. A failure of the requests is in the report.
 */
export async function discoverAndRequest(
  { ports, settings }: Pick<Archiver, "ports" | "settings">,
  signal: AbortSignal,
): Promise<DiscoverRunReport> {
  const report = await discover(ports, settings, signal);
  const requests = await serveRequests({ ports, settings, signal }, report.runId);
  return requests === undefined ? report : { ...report, requests };
}
