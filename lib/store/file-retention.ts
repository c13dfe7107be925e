import { dirname } from "node:path";
import type { ObjectVersion, RetentionAbilities, VersionProtection } from "../ports/retention-store.ts";
import { objectPath } from "./file-keys.ts";
import { statObject } from "./file-objects.ts";
import type { FileRoot } from "./file-root.ts";
import { removeIfPresent } from "./file-upload.ts";
import { requireExport } from "./store-errors.ts";

/** A folder has neither locks nor tags: the `retained` records alone say how long a file is kept. */
export const FILE_RETENTION_ABILITIES: RetentionAbilities = { canLock: false, canTag: false };

/** A file is its only version, and nothing protects it; `undefined` when it is not there. */
export async function readFileProtection(
  root: FileRoot,
  { key }: ObjectVersion,
): Promise<VersionProtection | undefined> {
  const isThere = (await statObject(root, key)) !== undefined;
  return isThere ? { lock: undefined, legalHold: false, tags: {} } : undefined;
}

/** Removes what stands at a key, if anything does. */
export async function removeObject(root: FileRoot, key: string): Promise<void> {
  const path = objectPath(root.folder, key);
  await root.assertWithin(dirname(path));
  await removeIfPresent(path);
}

/** Removes the file of an export. The folders stay: another run may be about to write there. */
export async function removeFile(root: FileRoot, version: ObjectVersion): Promise<void> {
  requireExport(version);
  await root.assertPresent();
  await removeObject(root, version.key);
}
