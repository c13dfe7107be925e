import { constants } from "node:fs";
import { access, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { FolderFacts } from "../doctor/ports.ts";
import { hasErrno, isMissing } from "../files/errno.ts";
import { toStoreError } from "./file-errors.ts";

/** Where runs make files. The first stands for the root. */
const WRITTEN = ["", "exports", "records", "runs", "state", "queue"];

const isDenied = hasErrno("EACCES", "EPERM", "EROFS");

/** Looks at a store's folder. @throws StoreError when it cannot be looked at. */
export async function folderFacts(folder: string): Promise<FolderFacts> {
  try {
    const [{ bavail, bsize, files, ffree }, { mode }, ...denied] = await Promise.all([
      statfs(folder),
      stat(folder),
      ...WRITTEN.map((name) => isUnwritable(join(folder, name))),
    ]);
    return {
      freeBytes: bavail * bsize,
      freeInodes: files > 0 ? ffree : undefined,
      mode: mode & 0o777,
      unwritable: WRITTEN.filter((_, index) => denied[index]).map((name) => (name === "" ? "." : name)),
    };
  } catch (thrown) {
    throw toStoreError(thrown, folder, "");
  }
}

/** A folder that is not there yet is made by a run. */
async function isUnwritable(folder: string): Promise<boolean> {
  const wrong = (thrown: unknown) => isDenied(thrown) || isMissing(thrown);
  try {
    await access(folder, constants.W_OK | constants.X_OK);
    return false;
  } catch (thrown) {
    if (!wrong(thrown)) {
      throw thrown;
    }
    return isDenied(thrown);
  }
}
