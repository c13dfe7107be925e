import { discoverFunction } from "../lib/config/discover-function.ts";
import { functionHandler } from "../lib/config/function-host.ts";

/**
 * Enqueues finished exports, oldest first. A timer starts it. Returns the discover report; a system failure is
 * in it as `failure`, not thrown.
 */
export const handler = functionHandler(discoverFunction);
