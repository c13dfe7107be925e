import { expect, test } from "vitest";
import { triggerEventOf } from "./trigger-event.ts";

/** As a timer sends it. */
function timer(userEvent: unknown): string {
  return JSON.stringify({
    version: "v1.0",
    time: "2026-11-29T23:30:00+08:00",
    trigger_type: "TIMER",
    trigger_name: "nightly",
    user_event: userEvent,
  });
}

const PUSH = { resource: "batchtask", event: "update", notify_data: { body: { task_id: "batch-1" } } };

test.each<[string, string, unknown]>([
  ["a timer with JSON", timer('{"when":"pressure"}'), { when: "pressure" }],
  ["a timer without additional information", timer(""), undefined],
  ["a timer with none at all", timer(undefined), undefined],
  ["a push of data forwarding", JSON.stringify(PUSH), PUSH],
  ["a test event", '{"when":"always"}', { when: "always" }],
  ["nothing", " ", undefined],
])("%s is what the function gets", (_what, body, event) => {
  expect(triggerEventOf(body)).toEqual(event);
});

test.each<[string, string, string]>([
  ["a body that is not JSON", "PLANTED", "the body of this invocation is not JSON"],
  [
    "a timer whose text is not JSON",
    timer("PLANTED"),
    "the additional information of this timer is not JSON",
  ],
  ["a timer whose text is JSON without an end", timer("[".repeat(99) + "]".repeat(99)), "nested too deep"],
])("%s is refused, and is not quoted", (_what, body, problem) => {
  expect(() => triggerEventOf(body)).toThrow(problem);
  expect(() => triggerEventOf(body)).not.toThrow("PLANTED");
});
