import { discoverInFunction } from "../lib/config/function-runs.ts";
import type { DiscoverReport } from "../lib/discovery/discover.ts";

/** Enqueues finished exports, oldest first. A timer starts it. Throws when the platform cannot be listed. */
export async function handler(
  _event: unknown,
  context: { getRemainingTimeInMillis(): number },
): Promise<DiscoverReport> {
  return await discoverInFunction(process.env, context.getRemainingTimeInMillis());
}
