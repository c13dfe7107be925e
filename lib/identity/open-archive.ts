import type { PlatformScope } from "../domain/export-task.ts";
import type { ArchiveMemory } from "../ports/archive-memory.ts";
import type { Clock, Random } from "../ports/clock.ts";
import { type ObjectStore, StoreError } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { archivedRecords } from "../records/task-records.ts";
import { anotherArchive, type ExpectedArchive, noArchive } from "./errors.ts";
import { type ArchiveMarker, readMarker, writeMarker } from "./marker.ts";
import { tryStore } from "./store-abilities.ts";

/** What opening an archive reaches the world through. */
export interface IdentityPorts {
  /** The store itself: nothing else may be asked of it before the archive is open. */
  readonly store: ObjectStore;
  /** Missing where nothing on this side remembers an archive. */
  readonly memory: ArchiveMemory | undefined;
  readonly clock: Clock;
  readonly random: Random;
  /** Tells an operator what was decided. */
  readonly say: (code: "archive-begun" | "archive-taken-over", message: string) => void;
}

export interface IdentitySettings {
  readonly scope: PlatformScope;
  /** `ARCHIVER_ARCHIVE_ID`. */
  readonly archiveId: string | undefined;
  /** Names the settings of the store: what it can do is tried out again when they change. */
  readonly storeSettings: string;
  /**
   * `work` may write the marker of an archive from before markers. `begin` may also begin one in an empty place that
   * no run depends on: runs that delete nothing. `use` writes no marker. `foresee` writes none either, and takes an empty
   * place for the archive that a run will begin there.
   */
  readonly purpose: "use" | "work" | "begin" | "foresee";
}

/** The archive that was found. The marker is missing only where an archive from before markers, or an empty place, is looked at. */
export interface OpenedArchive {
  readonly marker: ArchiveMarker | undefined;
  /** Nothing is there yet; told to who foresees. */
  readonly isEmpty?: true;
}

/**
 * Makes sure that the store is the archive it is meant to be, before anything else is asked of it.
 *
 * @throws `no-archive`, `another-archive`, `archive-marker-unreadable`, and what store and memory throw; nothing
 *   was written then, unless the store failed while a new marker was written.
 */
export async function openArchive(
  ports: IdentityPorts,
  settings: IdentitySettings,
  options: CallOptions,
): Promise<OpenedArchive> {
  const remembered = await ports.memory?.recall(options);
  const expected = expectedArchives(settings.archiveId, remembered);
  const found = await findMarker(ports.store, expected[0], options);
  const marker = found ?? (await markerForUnmarked(ports, settings, expected[0], options));
  if (marker === "none yet") {
    return { marker: undefined, isEmpty: true };
  }
  if (marker === undefined) {
    return { marker };
  }
  requireExpected(marker, expected);
  if (remembered === undefined && ports.memory !== undefined) {
    const archiveId = await ports.memory.rememberFirst(marker.archiveId, options);
    requireExpected(marker, [{ archiveId, by: "queue" }]);
  }
  return { marker };
}

/** What is expected, by the setting first. */
export function expectedArchives(
  archiveId: string | undefined,
  remembered: string | undefined,
): readonly ExpectedArchive[] {
  return [
    ...(archiveId === undefined ? [] : [{ archiveId, by: "setting" as const }]),
    ...(remembered === undefined ? [] : [{ archiveId: remembered, by: "queue" as const }]),
  ];
}

/** @throws `another-archive` when the marker is not of every expected archive. */
export function requireExpected(
  { archiveId }: Pick<ArchiveMarker, "archiveId">,
  expected: readonly ExpectedArchive[],
): void {
  const missed = expected.find((one) => one.archiveId !== archiveId);
  if (missed !== undefined) {
    throw anotherArchive(archiveId, missed);
  }
}

/** Reads the marker. @throws `no-archive` when not even the folder or bucket is there. */
async function findMarker(
  store: ObjectStore,
  expected: ExpectedArchive | undefined,
  options: CallOptions,
): Promise<ArchiveMarker | undefined> {
  try {
    return await readMarker(store, options);
  } catch (error) {
    throw isPlaceMissing(error) ? noArchive(error.message, expected, error) : error;
  }
}

/** Whether the store says that its folder or bucket is not there. */
export function isPlaceMissing(error: unknown): error is StoreError {
  return error instanceof StoreError && error.code === "store-missing";
}

async function markerForUnmarked(
  ports: IdentityPorts,
  settings: IdentitySettings,
  expected: ExpectedArchive | undefined,
  options: CallOptions,
): Promise<ArchiveMarker | "none yet" | undefined> {
  const { store, say } = ports;
  const { purpose, scope, storeSettings } = settings;
  if (expected !== undefined) {
    throw noArchive("archive.json is missing", expected);
  }
  const isFromBeforeMarkers = await hasArchivedRecord(store, scope, options);
  if (!isFromBeforeMarkers && purpose === "foresee") {
    return "none yet";
  }
  if (!isFromBeforeMarkers && purpose !== "begin") {
    throw noArchive("it has neither archive.json nor a record of this project and instance");
  }
  if (purpose === "use" || purpose === "foresee") {
    return undefined;
  }
  const abilities = await tryStore({ ...ports, storeSettings }, options);
  const marker = await writeMarker(ports, abilities, undefined, options);
  if (isFromBeforeMarkers) {
    say(
      "archive-taken-over",
      `The program took over an archive from before archive.json and named it ${marker.archiveId}.`,
    );
  } else {
    say("archive-begun", `The program created a new archive here: ${marker.archiveId}.`);
  }
  return marker;
}

async function hasArchivedRecord(
  store: ObjectStore,
  scope: PlatformScope,
  options: CallOptions,
): Promise<boolean> {
  for await (const _record of archivedRecords(store, scope, 0, options)) {
    return true;
  }
  return false;
}
