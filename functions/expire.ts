import { expireFunction } from "../lib/hosted/expire-function.ts";
import { functionHandler } from "../lib/hosted/function-host.ts";

/**
 * Removes archived exports whose time is over: the only function that removes anything. A timer starts it.
 * Returns the report; a system failure is in it, not thrown.
 */
export const handler = functionHandler(expireFunction);
