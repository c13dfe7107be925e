import { discoverFunction } from "../lib/hosted/discover-function.ts";
import { functionHandler } from "../lib/hosted/function-host.ts";

/**
 * Enqueues finished exports, oldest first. A timer starts it. Returns the discover report; a system failure is
 * in it as `failure`, not thrown.
 */
export const handler = functionHandler(discoverFunction);
