import { systemClock, systemRandom } from "../../config/system.ts";
import { addHold, HoldsReader, removeHold } from "../../records/holds.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { operatorName } from "../operator.ts";
import type { Output } from "../output.ts";
import { addedHoldLines, holdLines } from "../retention-lines.ts";
import { withArchive } from "../retention-session.ts";
import type { CommonOptions } from "../session.ts";

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
