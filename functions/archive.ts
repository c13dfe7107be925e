import { archiveFunction } from "../lib/hosted/archive-function.ts";
import { functionHandler } from "../lib/hosted/function-host.ts";

/**
 * Archives what is queued until the function's time is up. A timer starts it; `{"when":"pressure"}` makes
 * it act only when many places are held. Returns the run report; a system failure is in it, not thrown.
 */
export const handler = functionHandler(archiveFunction);
