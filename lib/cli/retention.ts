import { systemClock, systemRandom } from "../config/system.ts";
import { countArchivedMatches } from "../records/held-copies.ts";
import { addHold, HoldsReader, removeHold } from "../records/holds.ts";
import { expire } from "../retention/expire.ts";
import { type PlanEntry, planRetention } from "../retention/plan.ts";
import { retainSweep } from "../retention/retain.ts";
import type { RunFrame } from "../retention/run.ts";
import { type VerifyReport, verify } from "../retention/verify.ts";
import { LongList } from "./long-list.ts";
import { operatorName } from "./operator.ts";
import type { Result } from "./output.ts";
import { EXIT, type ExitCode } from "./process.ts";
import {
  addedHoldLines,
  expireLines,
  holdLines,
  planLines,
  retainLines,
  ShownEntries,
  verifyLines,
} from "./retention-lines.ts";
import { type CommonOptions, withArchive, withRetention } from "./session.ts";

interface PlanCommandOptions extends CommonOptions {
  readonly json?: true;
}

/** `retention plan`: for every archived export the rule, the dates, and what the next runs would do. */
export async function planCommand(options: PlanCommandOptions): Promise<Result> {
  const list = new LongList("entries");
  const shown = new ShownEntries();
  const onEntry = (entry: PlanEntry) => (options.json === true ? list : shown).add(entry);
  const plan = await withRetention(options, ({ ports, settings, signal }) =>
    planRetention(ports, settings, { signal, onEntry }),
  );
  return { document: plan, list, lines: await planLines(plan, shown), exitCode: exitCodeOfRun(plan) };
}

/** `retention sweep`: locks, tags and records what events missed and what the policy lengthened. */
export async function retainSweepCommand(options: CommonOptions): Promise<Result> {
  const report = await withRetention(options, ({ ports, settings, signal }) =>
    retainSweep(ports, settings, { signal }),
  );
  return { document: report, lines: retainLines(report), exitCode: exitCodeOfRun(report) };
}

/** `retention expire`: removes archived exports whose time is over. */
export async function expireCommand(options: CommonOptions): Promise<Result> {
  const report = await withRetention(options, ({ ports, settings, signal }) =>
    expire(ports, settings, { signal }),
  );
  return { document: report, lines: expireLines(report), exitCode: exitCodeOfRun(report) };
}

function exitCodeOfRun({ failure }: RunFrame): ExitCode {
  return failure === undefined ? EXIT.done : EXIT.failed;
}

export interface VerifyCommandOptions extends CommonOptions {
  /** From 0 to 1. */
  readonly sample: number;
  readonly all?: true;
}

/** An archive younger than this may have nothing to read yet; in an older one, nothing to read is a finding. */
const MAY_BE_EMPTY_MS = 48 * 3_600_000;

/** `verify`: reads recorded copies back and compares SHA-256. Changes nothing. */
export async function verifyCommand(options: VerifyCommandOptions): Promise<Result> {
  const fraction = options.all === true ? 1 : options.sample;
  const { report, createdAt } = await withArchive(options, async ({ store, ports, scope, signal }) => {
    const { marker } = await store.archive({ signal });
    const report = await verify(ports, { scope }, { signal, fraction });
    return { report, createdAt: marker?.createdAt };
  });
  return { document: report, lines: verifyLines(report), exitCode: exitCodeOfVerify(report, createdAt) };
}

function exitCodeOfVerify({ counts, failure }: VerifyReport, createdAt: string | undefined): ExitCode {
  if (counts.damaged > 0) {
    return EXIT.damaged;
  }
  if (failure !== undefined || counts.failed > 0) {
    return EXIT.failed;
  }
  const isYoung = createdAt !== undefined && systemClock.wallMs() - Date.parse(createdAt) < MAY_BE_EMPTY_MS;
  return counts.recorded > 0 || isYoung ? EXIT.done : EXIT.nothingToRead;
}

interface HoldOptions extends CommonOptions {
  readonly reason: string;
  readonly by?: string;
}

/** `hold add`: from the next run on, matching tasks stay on the platform and their copies in the store. */
export async function addHoldCommand(pattern: string, options: HoldOptions): Promise<Result> {
  const { reason, by = operatorName() } = options;
  const heldAt = new Date(systemClock.wallMs()).toISOString();
  const added = await withArchive(options, async ({ store, scope, signal }) => {
    await store.preflight({ signal });
    const facts = { pattern, reason, by, heldAt, nonceHex: systemRandom.hex(4) };
    // The hold first: a list that fails must not prevent it.
    const hold = await addHold(store, facts, { signal });
    return { ...hold, archivedMatches: await countArchivedMatches(store, scope, pattern, { signal }) };
  });
  return { document: added, lines: addedHoldLines(added), exitCode: EXIT.done };
}

/** `hold list`. */
export async function listHoldsCommand(options: CommonOptions): Promise<Result> {
  const holds = await withArchive(options, ({ store, signal }) => new HoldsReader(store).read({ signal }));
  const { all, leftAlone } = holds;
  return { document: { holds: all, leftAlone }, lines: await holdLines(holds), exitCode: EXIT.done };
}

/** `hold remove`: lifts a hold, and notes under holds/lifted/ who did it and why. */
export async function removeHoldCommand(pattern: string, options: HoldOptions): Promise<Result> {
  const { reason, by = operatorName() } = options;
  const noted = { liftedAtMs: systemClock.wallMs(), nonceHex: systemRandom.hex(4) };
  const wasThere = await withArchive(options, ({ store, signal }) =>
    removeHold(store, { pattern, reason, by, ...noted }, { signal }),
  );
  return wasThere
    ? { document: { lifted: pattern }, lines: [`Removed the hold on ${pattern}.`], exitCode: EXIT.done }
    : {
        document: { lifted: null },
        lines: [`There is no hold on ${pattern}; "iotda-archiver hold list" shows all.`],
        exitCode: EXIT.failed,
      };
}
