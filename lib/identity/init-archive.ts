import { STORE_STATE_KEY } from "../domain/key-layout.ts";
import type { ObjectStore, StoreAbilities } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { noArchive } from "./errors.ts";
import { type ArchiveMarker, readMarker, writeMarker } from "./marker.ts";
import {
  expectedArchives,
  type IdentityPorts,
  type IdentitySettings,
  isPlaceMissing,
  requireExpected,
} from "./open-archive.ts";
import { tryStore } from "./store-abilities.ts";

/** What lies below the prefix, by the first part of its key. */
export interface FoundThere {
  readonly name: string;
  readonly objects: number;
}

export interface InitReport {
  readonly archiveId: string;
  readonly createdAt: string;
  /** Whether this call made the archive. */
  readonly made: boolean;
  /** The archive that the queue remembered until now, when it is another one. */
  readonly replaced?: string;
  readonly abilities: StoreAbilities;
  /** What lay there before, without the archiver's own state. */
  readonly found: readonly FoundThere[];
  /** There is more than was counted. */
  readonly foundMore: boolean;
}

/** Up to this many keys tell an operator what lies there. */
const MAX_COUNTED = 10_000;

/**
 * Makes an archive in the store, or finds the one that is there, and remembers it. Tries the store out. Safe twice.
 *
 * @param adopt takes the archive that is there, or a new one, in place of the one that the queue remembers.
 * @throws `no-archive` for a missing bucket, or for a place without archive while the queue remembers one;
 *   `another-archive`; what store and memory throw.
 */
export async function initArchive(
  ports: IdentityPorts,
  settings: Pick<IdentitySettings, "archiveId" | "storeSettings">,
  { adopt, signal }: CallOptions & { readonly adopt: boolean },
): Promise<InitReport> {
  const options = { signal };
  const remembered = await ports.memory?.recall(options);
  const expected = expectedArchives(settings.archiveId, adopt ? undefined : remembered);
  const standing = await markerIfAny(ports.store, options);
  if (standing !== undefined) {
    requireExpected(standing, expected);
  } else if (remembered !== undefined && !adopt) {
    // A setup script that repeats `init` must not make an archive on a bare mount point.
    throw noArchive("archive.json is missing", { archiveId: remembered, by: "queue" });
  }
  const before = standing === undefined ? await countThere(ports.store, options) : NOTHING;
  const abilities = await tried(ports, settings, options);
  const marker = standing ?? (await writeMarker(ports, abilities, settings.archiveId, options));
  requireExpected(marker, expected);
  if (remembered !== marker.archiveId) {
    await ports.memory?.remember(marker.archiveId, options);
  }
  const { archiveId, createdAt } = marker;
  const isReplaced = remembered !== undefined && remembered !== archiveId;
  return {
    archiveId,
    createdAt,
    made: standing === undefined,
    ...(isReplaced ? { replaced: remembered } : {}),
    abilities,
    ...before,
  };
}

const NOTHING = { found: [], foundMore: false };

async function tried(
  ports: IdentityPorts,
  { storeSettings }: Pick<IdentitySettings, "storeSettings">,
  options: CallOptions,
): Promise<StoreAbilities> {
  try {
    return await tryStore({ ...ports, storeSettings }, options);
  } catch (error) {
    throw isPlaceMissing(error) ? noArchive(error.message, undefined, error) : error;
  }
}

/** A missing folder holds no marker: trying the store out makes it, where it can be made. */
async function markerIfAny(store: ObjectStore, options: CallOptions): Promise<ArchiveMarker | undefined> {
  try {
    return await readMarker(store, options);
  } catch (error) {
    if (isPlaceMissing(error)) {
      return undefined;
    }
    throw error;
  }
}

async function countThere(
  store: ObjectStore,
  options: CallOptions,
): Promise<Pick<InitReport, "found" | "foundMore">> {
  const counts = new Map<string, number>();
  let counted = 0;
  try {
    for await (const { key } of store.list("", options)) {
      if (counted >= MAX_COUNTED) {
        break;
      }
      counted += 1;
      const slash = key.indexOf("/");
      const name = slash === -1 ? key : key.slice(0, slash + 1);
      if (key !== STORE_STATE_KEY) {
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
    }
  } catch (error) {
    if (!isPlaceMissing(error)) {
      throw error;
    }
  }
  const found = [...counts].map(([name, objects]) => ({ name, objects }));
  return { found: found.sort((a, b) => b.objects - a.objects), foundMore: counted >= MAX_COUNTED };
}
