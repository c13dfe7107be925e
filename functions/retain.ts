import { functionHandler } from "../lib/hosted/function-host.ts";
import { retainFunction } from "../lib/hosted/retain-function.ts";

/**
 * Locks, tags and records what was archived. An EventBridge event *Object Created* of the archive's bucket is
 * about one export; a timer's call goes through all of them. Returns the report; a system failure is in it, not
 * thrown: what an event missed, the next sweep finds.
 */
export const handler = functionHandler(retainFunction);
