import { compact } from "../domain/compact.ts";
import { nameOfLine } from "../records/catalogue.ts";
import type { CatalogueLine } from "../records/catalogue-line.ts";
import type { InventoryRun } from "./ports.ts";

/** What is wrong with an archived export. */
export interface Damage {
  readonly exportTaskId: string;
  readonly revision: string;
  /**
   * `missing`: the recorded object is not there. `resized`: it has another size. `changed`: its bytes are not the
   * recorded ones. `unreadable-record`: a record of the revision cannot be read, so it cannot be told what is recorded.
   */
  readonly kind: "missing" | "resized" | "changed" | "unreadable-record";
  /** Of the object, or of the records. */
  readonly key: string;
  readonly recordedBytes?: number;
  readonly foundBytes?: number;
}

/**
 * Asks the store about a recorded object that the list did not show with the recorded size. A list proves no absence:
 * the object may have been written after it began.
 * @returns `undefined` when the object is as recorded after all. Throws what the store throws.
 */
export async function damageOf(run: InventoryRun, line: CatalogueLine): Promise<Damage | undefined> {
  const { key, sizeBytes, exportTaskId, revision } = line;
  const found = await run.ports.store.head(key, { signal: run.signal });
  if (found?.sizeBytes === sizeBytes) {
    return undefined;
  }
  const kind: Damage["kind"] = found === undefined ? "missing" : "resized";
  return compact({
    exportTaskId,
    revision,
    kind,
    key,
    recordedBytes: sizeBytes,
    foundBytes: found?.sizeBytes,
  });
}

/** Damage by the name of its revision. */
export function damageByName(damage: readonly Damage[] = []): ReadonlyMap<string, Damage> {
  return new Map(damage.map((one) => [nameOfLine(one), one]));
}
