import * as v from "valibot";
import { ArchiverError } from "../domain/errors.ts";
import { parseJson } from "../domain/json.ts";
import { ARCHIVE_MARKER_KEY } from "../domain/key-layout.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { ObjectStore, StoreAbilities, WriteCondition } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { isoTime, SCHEMA_VERSION, schemaVersion } from "../records/schemas.ts";
import { SystemFailure } from "../run/errors.ts";
import { archiveChanged, unreadableMarker } from "./errors.ts";

const markerSchema = v.object({
  schemaVersion,
  archiveId: v.pipe(v.string(), v.toLowerCase(), v.uuid()),
  createdAt: isoTime,
});

/** `archive.json`: which archive lies below the prefix. */
export type ArchiveMarker = v.InferOutput<typeof markerSchema>;

const WRITE_TRIES = 5;
/** How long a marker must stand where the store cannot create once: the last writer wins, and both read it. */
const MARKER_STANDS_MS = 3_000;

/**
 * Reads the marker; `undefined` when there is none.
 *
 * @throws `archive-marker-unreadable`, and what the store throws: neither says that there is none.
 */
export async function readMarker(
  store: Pick<ObjectStore, "getDocument">,
  options: CallOptions,
): Promise<ArchiveMarker | undefined> {
  const found = await store.getDocument(ARCHIVE_MARKER_KEY, options);
  if (found === undefined) {
    return undefined;
  }
  const parsed = v.safeParse(markerSchema, found.text === undefined ? undefined : parseJson(found.text));
  if (!parsed.success) {
    throw unreadableMarker();
  }
  return parsed.output;
}

/** A run, as far as its archive goes. */
interface RunInArchive {
  readonly abilities: Pick<StoreAbilities, "archiveId">;
  readonly ports: { readonly store: Pick<ObjectStore, "getDocument"> };
}

/**
 * To be asked before a task is deleted or given up, and before a copy is removed: in a store that was put in the
 * archive's place while the run was under way, no hold, record or report proves nothing.
 *
 * @throws SystemFailure `no-archive` or `another-archive` when what the run opened is not there any more, and what
 *   {@link readMarker} throws.
 */
export async function requireOwnArchive(
  { abilities: { archiveId }, ports }: RunInArchive,
  options: CallOptions,
): Promise<void> {
  const foundId = archiveId && (await readMarker(ports.store, options))?.archiveId;
  if (archiveId !== undefined && foundId !== archiveId) {
    throw new SystemFailure(archiveChanged(archiveId, foundId));
  }
}

/**
 * Writes a marker, unless another runner's stands there by now. @returns the marker that stands.
 *
 * @param archiveId the id of the archive; a new one without it.
 * @throws what the store throws; then the marker may stand or not.
 */
export async function writeMarker(
  ports: { readonly store: ObjectStore; readonly clock: Clock; readonly random: Random },
  abilities: Pick<StoreAbilities, "createOnce">,
  archiveId: string | undefined,
  options: CallOptions,
): Promise<ArchiveMarker> {
  const { store, clock, random } = ports;
  const marker: ArchiveMarker = {
    schemaVersion: SCHEMA_VERSION,
    archiveId: archiveId ?? uuidOf(random),
    createdAt: new Date(clock.wallMs()).toISOString(),
  };
  if (!abilities.createOnce) {
    const standing = await markerMissedAtFirst(ports, options);
    if (standing !== undefined) {
      return standing;
    }
  }
  const condition: WriteCondition = { kind: abilities.createOnce ? "if-absent" : "always" };
  for (let attempt = 1; attempt <= WRITE_TRIES; attempt += 1) {
    if (!abilities.createOnce) {
      // Looking for records and trying the store out took a while: another runner's marker is not written over.
      const theirs = await readMarker(store, options);
      if (theirs !== undefined) {
        return theirs;
      }
    }
    await store.putDocument(ARCHIVE_MARKER_KEY, `${JSON.stringify(marker)}\n`, condition, options);
    if (!abilities.createOnce) {
      await clock.sleep(MARKER_STANDS_MS, options.signal);
    }
    // A conflict may mean "perhaps not": what stands is asked, whatever the answer was.
    const standing = await readMarker(store, options);
    if (standing !== undefined) {
      return standing;
    }
  }
  throw new ArchiverError(
    "store-unavailable",
    `${ARCHIVE_MARKER_KEY} is missing although the program wrote it`,
    {
      scope: "system",
      retry: "later",
      hint: "Look for a program that removes it, and check the store's log.",
    },
  );
}

/**
 * Where a store cannot create once, one old answer would let a marker be written over: it is asked twice more, and
 * otherwise.
 */
async function markerMissedAtFirst(
  { store, clock }: { readonly store: ObjectStore; readonly clock: Clock },
  options: CallOptions,
): Promise<ArchiveMarker | undefined> {
  await clock.sleep(MARKER_STANDS_MS, options.signal);
  const standing = await readMarker(store, options);
  if (standing !== undefined) {
    return standing;
  }
  for await (const { key } of store.list(ARCHIVE_MARKER_KEY, options)) {
    if (key === ARCHIVE_MARKER_KEY) {
      throw new ArchiverError(
        "store-unavailable",
        `the store lists ${ARCHIVE_MARKER_KEY} but does not return it`,
        {
          scope: "system",
          retry: "later",
          hint: "The store gave an outdated answer. The next run asks again.",
        },
      );
    }
  }
  return undefined;
}

/** A random UUID (RFC 9562, version 4). */
function uuidOf(random: Random): string {
  const hex = random.hex(16);
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
