import { ArchiverError, describeFailure } from "../domain/errors.ts";
import { digestOf, isSameContent } from "../integrity/digest.ts";
import { checkMembers } from "../integrity/members.ts";
import type { TemporaryFiles } from "../ports/temporary-files.ts";
import type { CatalogueLine } from "../records/catalogue-line.ts";
import type { ArchivedRecord } from "../records/schemas.ts";
import { VerificationLedger } from "../records/verification-ledger.ts";
import type { InventoryRun } from "./ports.ts";
import { recordOfLine, warnOfUnnoted } from "./read-copies.ts";

/** A drill is due when none was made for this many days. */
export const DRILL_EVERY_DAYS = 30;
/** A function has little room on its disk; a copy of this size proves as much as a larger one. */
const MAX_DRILL_BYTES = 256 * 1024 * 1024;

/** What came of restoring one copy chosen at random. */
export interface DrillReport {
  readonly exportTaskId: string;
  readonly revision: string;
  readonly sizeBytes: number;
  /** From the first request to the last member inflated. */
  readonly durationMs: number;
  /** `unchecked`: the bytes are those of the record, and the ZIP has members that cannot be inflated. */
  readonly result: "restored" | "unchecked" | "failed";
  readonly problem?: string;
}

/** Chooses one of the copies that it sees; each is as likely as any other. */
export class DrillChoice {
  readonly #random: () => number;
  #seen = 0;
  chosen: CatalogueLine | undefined;

  constructor(random: () => number) {
    this.#random = random;
  }

  see(line: CatalogueLine): void {
    if (line.expiredAt !== undefined || line.sizeBytes > MAX_DRILL_BYTES) {
      return;
    }
    this.#seen += 1;
    if (this.#random() * this.#seen < 1) {
      this.chosen = line;
    }
  }
}

/**
 * Restores a copy to a temporary place, proves its bytes, and inflates every member of its ZIP. It notes in the ledger
 * that the copy was read, and that a drill was made.
 * @returns `undefined` when the records name another copy by now. Throws failures of the system.
 */
export async function drill(
  run: InventoryRun,
  files: TemporaryFiles,
  line: CatalogueLine,
): Promise<DrillReport | undefined> {
  const { store, clock, random } = run.ports;
  const { signal } = run;
  const startedAtMs = clock.monotonicMs();
  const record = await recordOfLine(run, line);
  if (record === undefined) {
    return undefined;
  }
  const outcome = await restore(run, files, record).catch((error: unknown): Outcome => {
    signal.throwIfAborted();
    if (error instanceof ArchiverError && error.scope === "system") {
      throw error;
    }
    // The object, or the disk of this machine: either way a person could not have restored the copy.
    return { result: "failed", problem: describeFailure(error).message };
  });
  const { exportTaskId, revision, key, sizeBytes } = line;
  const durationMs = Math.round(clock.monotonicMs() - startedAtMs);
  if (outcome.result !== "failed") {
    const at = new Date(clock.wallMs()).toISOString();
    const entry = {
      at,
      exportTaskId,
      revision,
      key,
      result: "intact",
      sizeBytes,
      durationMs,
      drill: true,
    } as const;
    const ledger = new VerificationLedger(store, run.abilities);
    if ((await ledger.add([entry], { clock, random }, { signal })) === "conflict") {
      warnOfUnnoted(run, 1);
    }
  }
  return { exportTaskId, revision, sizeBytes, durationMs, ...outcome };
}

type Outcome = Pick<DrillReport, "result" | "problem">;

async function restore(
  run: InventoryRun,
  files: TemporaryFiles,
  { object }: ArchivedRecord,
): Promise<Outcome> {
  const { signal } = run;
  return await files.hold(
    run.ports.store.readVersion(object, { signal }),
    async (file): Promise<Outcome> => {
      const found = await digestOf(file.read(0, object.sizeBytes));
      if (!isSameContent(found, object)) {
        return { result: "failed", problem: "its bytes are not the recorded ones" };
      }
      const members = await checkMembers(file, object.sizeBytes, { signal });
      return members.kind === "intact"
        ? { result: "restored" }
        : { result: members.kind === "unchecked" ? "unchecked" : "failed", problem: members.problem };
    },
    { signal },
  );
}
