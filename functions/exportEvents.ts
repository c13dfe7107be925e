import { type EventsAnswer, exportEventsFunction } from "../lib/functions/export-events.ts";
import { type HostContext, lambdaHandler } from "../lib/hosted/function-host.ts";

const answered = lambdaHandler(exportEventsFunction);

/** Throws when an event has to come again: the hosts that brought it repeat a call that throws, and no other. */
export async function handler(event: unknown, context: HostContext): Promise<EventsAnswer> {
  const answer = await answered(event, context);
  if ("failure" in answer && answer.failure !== undefined) {
    throw new Error(answer.failure.message);
  }
  return answer;
}
