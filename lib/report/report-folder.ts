import * as v from "valibot";
import { isSameScope, type PlatformScope } from "../domain/export-task.ts";
import { ownReportsFolder, REPORTS_FOLDER, REPORTS_OWNER_KEY } from "../domain/key-layout.ts";
import type { ObjectStore, StoreAbilities } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { createOnce } from "../records/create-once.ts";
import { parseRecord, SCHEMA_VERSION, schemaVersion } from "../records/schemas.ts";

type Store = Pick<ObjectStore, "getDocument" | "putDocument">;

const ownerSchema = v.object({
  schemaVersion,
  projectId: v.string(),
  instanceId: v.nullable(v.string()),
});

/**
 * Where the reports of a project and instance lie: `reports/` for the first one of a store, a folder of its own for each
 * other one. Two that share a store would else replace each other's pages.
 *
 * @returns `undefined` where no report was written yet.
 * @throws what the store throws.
 */
export async function findReportsFolder(
  store: Pick<Store, "getDocument">,
  scope: PlatformScope,
  options: CallOptions,
): Promise<string | undefined> {
  const found = await store.getDocument(REPORTS_OWNER_KEY, options);
  if (found === undefined) {
    return undefined;
  }
  const owner = parseRecord(ownerSchema, found);
  return owner !== undefined && isSameScope(owner, scope) ? REPORTS_FOLDER : ownReportsFolder(scope);
}

/**
 * The same before a report is written: the first one to come owns `reports/`.
 * @throws what the store throws.
 */
export async function claimReportsFolder(
  store: Store,
  abilities: Pick<StoreAbilities, "createOnce">,
  scope: PlatformScope,
  options: CallOptions,
): Promise<string> {
  const found = await findReportsFolder(store, scope, options);
  if (found !== undefined) {
    return found;
  }
  const { projectId, instanceId = null } = scope;
  await createOnce(
    store,
    abilities,
    REPORTS_OWNER_KEY,
    { schemaVersion: SCHEMA_VERSION, projectId, instanceId },
    options,
  );
  return (await findReportsFolder(store, scope, options)) ?? ownReportsFolder(scope);
}
