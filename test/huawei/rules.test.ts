import { readFile } from "node:fs/promises";
import { beforeAll, expect, test } from "vitest";
import { packageStage } from "../template/packaging.ts";
import { at, ofType } from "../template/template.ts";
import { RULES, type RuleName } from "./rules.ts";
import { SABOTAGES, sabotaged } from "./sabotages.ts";
import { fieldsOf, readStack, type Stack } from "./stack.ts";

const NAMES = Object.keys(RULES) as RuleName[];

let stack: Stack;
beforeAll(async () => {
  stack = await readStack();
});

test.each(NAMES)("%s", (name) => {
  expect(RULES[name](stack)).toEqual([]);
});

const WRONGS = NAMES.flatMap((rule) => SABOTAGES[rule].map(([what, path, to]) => ({ rule, what, path, to })));

test.each(WRONGS)("$what: seen by “$rule”", ({ rule, path, to }) => {
  expect(RULES[rule](sabotaged(stack, path, to))).not.toEqual([]);
});

test("timers, time-outs and memory are those of the stack on AWS", async () => {
  const { template } = await packageStage("prod");
  const onAws = ofType(template, "AWS::Scheduler::Schedule").map(([, { ScheduleExpression, Target }]) => {
    const [, arn = ""] = /\$?\{?([A-Za-z]+)LambdaFunction/.exec(JSON.stringify(at(Target, "Arn"))) ?? [];
    const input = String(at(Target, "Input") ?? "{}");
    return `${lowerFirst(arn)} ${huaweiSchedule(String(ScheduleExpression))} ${input === "{}" ? "null" : input}`;
  });
  const timers = Object.values(fieldsOf(stack.locals.timers)).map((timer) => {
    const { function: name, schedule, event } = fieldsOf(timer);
    return `${name} ${schedule} ${JSON.stringify(event ?? null)}`;
  });
  expect(timers.sort()).toEqual(onAws.sort());

  const limits = ofType(template, "AWS::Lambda::Function")
    // What the doctor may do there would be judged by an agency of its own, which is not that of the functions it examines.
    .filter(([id]) => id !== "DoctorLambdaFunction")
    .map(([id, { Timeout, MemorySize }]) => [
      lowerFirst(id.replace(/LambdaFunction$/, "")),
      `${Timeout} s, ${MemorySize} MB`,
    ]);
  const ours = Object.entries(fieldsOf(stack.locals.functions)).map(([name, body]) => {
    const { timeout, memory } = fieldsOf(body);
    return [name, `${timeout} s, ${memory} MB`];
  });
  expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(limits));
});

test("each alarm names its section of the runbook", async () => {
  const runbook = await readFile(new URL("../../docs/runbook.md", import.meta.url), "utf8");
  const sections = Object.values(fieldsOf(stack.locals.log_alarms)).map((alarm) => fieldsOf(alarm).section);
  for (const section of [...sections, "errors"]) {
    expect(runbook).toContain(`\n### ${section}\n`);
  }
});

/** AWS writes cron without seconds and with a year; a rate in words. */
function huaweiSchedule(expression: string): string {
  const rate = /^rate\((\d+) minutes\)$/.exec(expression)?.[1];
  const cron = /^cron\((.+) \? \*\)$/.exec(expression)?.[1];
  return rate === undefined ? `0 ${cron} *` : `${rate}m`;
}

function lowerFirst(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}
