import * as v from "valibot";
import { readForeignJson } from "../domain/json.ts";
import { unknownEvent } from "./errors.ts";

/**
 * What a timer sends: `{"version", "time", "trigger_type": "TIMER", "trigger_name", "user_event"}`. The last one is the
 * text that the trigger's *additional information* has (FunctionGraph user guide, "Using a Timer Trigger").
 */
const timerSchema = v.object({ trigger_type: v.literal("TIMER"), user_event: v.nullish(v.string(), "") });

/**
 * The event of one invocation as functions take it. A timer's is the JSON in its `user_event`, `undefined` where that is
 * empty. Everything else is taken as it came: data forwarding of IoTDA sends its push bare, and who tests a function by
 * hand writes the event itself.
 *
 * @throws ArchiverError `unknown-event` for what is not JSON.
 */
export function triggerEventOf(text: string): unknown {
  const event = jsonOf(text, "the body of this invocation");
  return v.is(timerSchema, event)
    ? jsonOf(v.parse(timerSchema, event).user_event ?? "", "the additional information of this timer")
    : event;
}

function jsonOf(text: string, what: string): unknown {
  if (text.trim() === "") {
    return undefined;
  }
  const json = readForeignJson(text);
  if (json.kind !== "json") {
    throw unknownEvent(`${what} is ${json.kind === "none" ? "not JSON" : "JSON that is nested too deep"}`);
  }
  return json.value;
}
