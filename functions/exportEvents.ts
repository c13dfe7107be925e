import {
  type EventsAnswer,
  exportEventsFunction,
  throwIfToComeAgain,
} from "../lib/hosted/events-function.ts";
import { functionHandler, type HostContext } from "../lib/hosted/function-host.ts";

const host = functionHandler(exportEventsFunction());

/**
 * Takes events from outside: `batchtask:update` pushes over HTTP, from SQS, SNS, SMN or EventBridge, and
 * requests with an `exportTaskId`. Answers HTTP with a status, SQS with the messages that have to come again;
 * throws for all others when the event has to come again.
 */
export async function handler(event: unknown, context: HostContext): Promise<EventsAnswer> {
  return throwIfToComeAgain(await host(event, context));
}
