import { idempotencyKeyOf, type PlatformScope } from "../../lib/domain/export-task.ts";
import { ARCHIVE_MARKER_KEY, recordKey } from "../../lib/domain/key-layout.ts";
import type { StoreState } from "./store-state.ts";

/** The archive that every runner of a world is set up for, and the one that is not it. */
export const HOME_ID = "11111111-1111-4111-8111-111111111111";
export const ANOTHER_ID = "22222222-2222-4222-8222-222222222222";

/** What a runner may find where its archive should be: `from-before` holds records, and no marker. */
export const FOREIGN_PLACES = ["empty", "another", "from-before"] as const;
export type ForeignPlace = (typeof FOREIGN_PLACES)[number];
export type PlaceName = ForeignPlace | "home";

/** From this effect of the world's log on, runners without a place of their own reach this one. */
interface Mounted {
  readonly fromEffect: number;
  readonly place: PlaceName;
}

export interface PlacesParts {
  readonly home: StoreState;
  readonly scope: PlatformScope;
  /** Makes a store that no oracle watches. */
  readonly makeStore: () => StoreState;
  readonly countEffects: () => number;
}

/** The stores that may lie where runners look for their archive: a disk that is not mounted, an address mistyped. */
export class Places {
  readonly #parts: PlacesParts;
  readonly #stores = new Map<PlaceName, StoreState>();
  readonly #ownPlaces = new Map<string, PlaceName>();
  readonly #mounts: Mounted[] = [{ fromEffect: 0, place: "home" }];

  constructor(parts: PlacesParts) {
    this.#parts = parts;
    this.#stores.set("home", parts.home);
  }

  /** Puts another store where runners look, from the next effect on. */
  mount(place: PlaceName): void {
    this.#mounts.push({ fromEffect: this.#parts.countEffects(), place });
  }

  get mounted(): PlaceName {
    return this.#mounts.at(-1)?.place ?? "home";
  }

  /** This runner looks at a place of its own, whatever is mounted. */
  setOwn(runner: string, place: PlaceName): void {
    this.#ownPlaces.set(runner, place);
  }

  /** The store that this runner reaches now. */
  storeOf(runner: string): StoreState {
    return this.#at(this.#ownPlaces.get(runner) ?? this.mounted);
  }

  /** Which place the effect with this index in the log was had in, or would have been. */
  placeOf(runner: string, effect: number): PlaceName {
    const own = this.#ownPlaces.get(runner);
    return own ?? this.#mounts.findLast(({ fromEffect }) => fromEffect <= effect)?.place ?? "home";
  }

  /** Whether any runner ever looked elsewhere. */
  get haveChanged(): boolean {
    return this.#mounts.length > 1 || this.#ownPlaces.size > 0;
  }

  #at(place: PlaceName): StoreState {
    const store = this.#stores.get(place) ?? this.#made(place);
    this.#stores.set(place, store);
    return store;
  }

  #made(place: PlaceName): StoreState {
    const store = this.#parts.makeStore();
    if (place === "another") {
      plantMarker(store, ANOTHER_ID);
    }
    if (place === "from-before") {
      plantOldRecord(store, this.#parts.scope);
    }
    return store;
  }
}

/** Makes a store an archive, as an operator did long ago. */
export function plantMarker(store: StoreState, archiveId: string): void {
  const marker = { schemaVersion: 1, archiveId, createdAt: "2026-01-01T00:00:00.000Z" };
  store.plantObject(ARCHIVE_MARKER_KEY, Buffer.from(JSON.stringify(marker)));
}

/** A record as every archive has one, of an export that is long gone. */
export function plantOldRecord(store: StoreState, scope: PlatformScope): void {
  const exportTaskId = "long-gone";
  const revision = "fe8e44f7";
  const at = "2026-01-01T00:00:00.000Z";
  const record = {
    schemaVersion: 1,
    idempotencyKey: idempotencyKeyOf(scope, exportTaskId, revision),
    projectId: scope.projectId,
    instanceId: scope.instanceId ?? null,
    exportTaskId,
    revision,
    object: { key: "exports/long-gone.zip", sizeBytes: 1, sha256: "0".repeat(64), etag: "e" },
    source: {},
    verification: { level: "read-back", container: "members" },
    downloadedAt: at,
    archivedAt: at,
    runId: "run-0",
    attempts: 0,
  };
  const key = recordKey(scope, exportTaskId, revision, "archived", 1);
  store.plantObject(key, Buffer.from(JSON.stringify(record)));
}
