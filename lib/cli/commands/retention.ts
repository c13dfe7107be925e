import { expire } from "../../retention/expire.ts";
import { planRetention } from "../../retention/plan.ts";
import { retainSweep } from "../../retention/retain.ts";
import type { RunFrame } from "../../retention/run.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { Output } from "../output.ts";
import { expireLines, planLines, retainLines } from "../retention-lines.ts";
import { withRetention } from "../retention-session.ts";
import type { CommonOptions } from "../session.ts";

/** `retention plan`: for every archived export the rule, the dates, and what the next runs would do. */
export async function planCommand(options: CommonOptions, output: Output): Promise<ExitCode> {
  const plan = await withRetention(options, ({ ports, settings, signal }) =>
    planRetention(ports, settings, { signal }),
  );
  output.show(plan, planLines(plan));
  return exitCodeOfRun(plan);
}

/** `retention sweep`: locks, tags and records what events missed and what the policy lengthened. */
export async function retainSweepCommand(options: CommonOptions, output: Output): Promise<ExitCode> {
  const report = await withRetention(options, ({ ports, settings, signal }) =>
    retainSweep(ports, settings, { signal }),
  );
  output.show(report, retainLines(report));
  return exitCodeOfRun(report);
}

/** `retention expire`: removes archived exports whose time is over. */
export async function expireCommand(options: CommonOptions, output: Output): Promise<ExitCode> {
  const report = await withRetention(options, ({ ports, settings, signal }) =>
    expire(ports, settings, { signal }),
  );
  output.show(report, expireLines(report));
  return exitCodeOfRun(report);
}

function exitCodeOfRun({ failure }: RunFrame): ExitCode {
  return failure === undefined ? EXIT.done : EXIT.failed;
}
