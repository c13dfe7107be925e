import type { ObjectStore } from "../../lib/ports/object-store.ts";
import type { StoreSweeper } from "../../lib/ports/store-sweeper.ts";
import { Records } from "../../lib/records/records.ts";
import { type RevisionRecords, recordsOfRevision } from "../../lib/records/task-records.ts";
import { ID, REVISION } from "../../lib/records/testing/archived-record.ts";
import { ALWAYS } from "../world/example-archiver.ts";
import { type Runner, World } from "../world/world.ts";

/** A store, and the records in it as one runner sees them. */
export interface Scene {
  readonly world: World;
  readonly records: Records;
  readonly store: ObjectStore & StoreSweeper;
  /** Puts a file there as somebody else would. */
  readonly plant: (key: string, content: string | object) => void;
  readonly read: (key: string) => unknown;
}

/** An empty store that can, or cannot, create once. */
export function sceneOf(createOnce = true): Scene {
  const world = new World({ store: { createOnce } });
  const runner = world.startRunner("a");
  return {
    world,
    records: recordsAt(world, runner),
    store: runner.store,
    plant: (key, content) =>
      world.store.plantObject(
        key,
        Buffer.from(typeof content === "string" ? content : JSON.stringify(content)),
      ),
    read: (key) => {
      const text = world.store.textAt(key);
      return text === undefined ? undefined : JSON.parse(text);
    },
  };
}

/** The records as this runner sees them, after a probe of the store. */
export function recordsAt(world: World, runner: Runner): Records {
  return new Records(runner.store, world.scope, world.store.settings);
}

/** What is found of a revision. */
export async function revisionRecords(
  { world, records }: Scene,
  revision = REVISION,
): Promise<RevisionRecords> {
  return recordsOfRevision(await world.run(() => records.ofTask(ID, ALWAYS)), revision);
}
