import { archiveInFunction } from "../lib/config/function-runs.ts";
import type { RunReport } from "../lib/records/run-report.ts";

/** What Lambda-like hosts tell a running function. */
interface HostContext {
  getRemainingTimeInMillis(): number;
}

/**
 * Archives what is queued until the function's time is up. A timer starts it; `{"when":"pressure"}` makes
 * it act only when many places are held. Returns the run report; a system failure is in it, not thrown.
 */
export async function handler(event: unknown, context: HostContext): Promise<RunReport> {
  return await archiveInFunction(process.env, event, context.getRemainingTimeInMillis());
}
