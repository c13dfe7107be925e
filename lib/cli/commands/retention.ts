import { systemClock, systemRandom } from "../../config/system.ts";
import { addHold, HoldsReader, removeHold } from "../../records/holds.ts";
import { expire } from "../../retention/expire.ts";
import { planRetention } from "../../retention/plan.ts";
import { retainSweep } from "../../retention/retain.ts";
import type { RunFrame } from "../../retention/run.ts";
import { verify } from "../../retention/verify.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { operatorName } from "../operator.ts";
import type { Output } from "../output.ts";
import {
  addedHoldLines,
  expireLines,
  holdLines,
  planLines,
  retainLines,
  verifyLines,
} from "../retention-lines.ts";
import { withArchive, withRetention } from "../retention-session.ts";
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

export interface VerifyCommandOptions extends CommonOptions {
  /** From 0 to 1. */
  readonly sample: number;
  readonly all?: boolean;
}

/** An archive so young may have nothing to read yet; of an older one, nothing is not good news. */
const MAY_BE_EMPTY_MS = 48 * 3_600_000;

/** `verify`: reads recorded copies back and compares SHA-256. Changes nothing. */
export async function verifyCommand(options: VerifyCommandOptions, output: Output): Promise<ExitCode> {
  const fraction = options.all === true ? 1 : options.sample;
  const { report, createdAt } = await withArchive(options, async ({ store, ports, scope, signal }) => {
    const { marker } = await store.archive({ signal });
    const report = await verify(ports, { scope }, { signal, fraction });
    return { report, createdAt: marker?.createdAt };
  });
  output.show(report, verifyLines(report));
  if (report.counts.damaged > 0) {
    return EXIT.damaged;
  }
  if (report.failure !== undefined || report.counts.failed > 0) {
    return EXIT.failed;
  }
  const mayBeEmpty =
    createdAt !== undefined && systemClock.wallMs() - Date.parse(createdAt) < MAY_BE_EMPTY_MS;
  return report.counts.recorded > 0 || mayBeEmpty ? EXIT.done : EXIT.nothingToRead;
}

export interface HoldOptions extends CommonOptions {
  readonly reason: string;
  readonly by?: string;
}

/** `hold add`: from the next run on, matching tasks stay on the platform and their copies in the store. */
export async function addHoldCommand(
  pattern: string,
  options: HoldOptions,
  output: Output,
): Promise<ExitCode> {
  const { reason, by = operatorName() } = options;
  const facts = {
    pattern,
    reason,
    by,
    heldAt: new Date(systemClock.wallMs()).toISOString(),
    nonceHex: systemRandom.hex(4),
  };
  const added = await withArchive(options, async ({ store, signal }) => {
    await store.preflight({ signal });
    return await addHold(store, facts, { signal });
  });
  output.show(added, addedHoldLines(added));
  return EXIT.done;
}

/** `hold list`. */
export async function listHoldsCommand(options: CommonOptions, output: Output): Promise<ExitCode> {
  const holds = await withArchive(options, ({ store, signal }) => new HoldsReader(store).read({ signal }));
  output.show({ holds: holds.all, leftAlone: holds.leftAlone }, holdLines(holds));
  return EXIT.done;
}

/** `hold remove`: lifts a hold, and notes under holds/lifted/ who did it and why. */
export async function removeHoldCommand(
  pattern: string,
  options: HoldOptions,
  output: Output,
): Promise<ExitCode> {
  const { reason, by = operatorName() } = options;
  const lifting = {
    pattern,
    reason,
    by,
    liftedAtMs: systemClock.wallMs(),
    nonceHex: systemRandom.hex(4),
  };
  const wasThere = await withArchive(options, ({ store, signal }) => removeHold(store, lifting, { signal }));
  output.show({ lifted: wasThere ? pattern : null }, [
    wasThere
      ? `Lifted: ${pattern}.`
      : `There is no hold on ${pattern}; "iotda-archiver hold list" shows all.`,
  ]);
  return wasThere ? EXIT.done : EXIT.failed;
}
