import { ArchiverError } from "../domain/errors.ts";
import { ARCHIVE_MARKER_KEY } from "../domain/key-layout.ts";

/** Who said which archive is expected. */
export type ExpectedBy = "setting" | "queue";

/** The archive that is expected at a place, and who says so. */
export interface ExpectedArchive {
  readonly archiveId: string;
  readonly by: ExpectedBy;
}

const NOT_MOUNTED = "The disk may not be mounted.";
const MISTYPED = "The address or prefix in ARCHIVER_STORE may be mistyped.";

function expectation({ archiveId, by }: ExpectedArchive): string {
  return by === "setting"
    ? `ARCHIVER_ARCHIVE_ID is ${archiveId}`
    : `the queue remembers archive ${archiveId}`;
}

/**
 * The place that ARCHIVER_STORE names holds no archive. The hint names the causes, the most dangerous one first.
 *
 * @param problem what was found, without a full stop.
 */
export function noArchive(problem: string, expected?: ExpectedArchive, cause?: unknown): ArchiverError {
  const isExpected = expected === undefined ? "" : `, and ${expectation(expected)}`;
  const command = expected?.by === "queue" ? "iotda-archiver init --adopt" : "iotda-archiver init";
  return new ArchiverError("no-archive", `there is no archive at this place: ${problem}${isExpected}`, {
    scope: "system",
    retry: "never",
    hint: `${NOT_MOUNTED} ${MISTYPED} If this is meant to be a new archive, run: ${command}`,
    cause,
  });
}

/** The place that ARCHIVER_STORE names holds an archive, and not the expected one. */
export function anotherArchive(foundId: string, expected: ExpectedArchive): ArchiverError {
  const adopt =
    expected.by === "queue"
      ? "run: iotda-archiver init --adopt"
      : `set ARCHIVER_ARCHIVE_ID to ${foundId} or remove it, and run: iotda-archiver init --adopt`;
  return new ArchiverError(
    "another-archive",
    `this place holds archive ${foundId}, but ${expectation(expected)}`,
    {
      scope: "system",
      retry: "never",
      hint: `${NOT_MOUNTED} ${MISTYPED} If this archive is meant, ${adopt}`,
    },
  );
}

/** Another store answers where the archive was that was opened: nothing it says counts. */
export function archiveChanged(archiveId: string, foundId: string | undefined): ArchiverError {
  const [code, found] =
    foundId === undefined
      ? ["no-archive", "that archive is gone"]
      : ["another-archive", `archive ${foundId} is there now`];
  return new ArchiverError(code, `archive ${archiveId} was opened at this place, but ${found}`, {
    scope: "system",
    retry: "later",
    hint: "The disk may be unmounted, or another store answers at the address in ARCHIVER_STORE. The archiver deletes, removes and dead-letters nothing because of it.",
  });
}

const IDENTITY_CODES: ReadonlySet<string> = new Set([
  "no-archive",
  "another-archive",
  "archive-marker-unreadable",
]);

/** Whether a failure is that the archive is not the one meant: then nothing else is asked of it either. */
export function isIdentityFailure(failure: { readonly code: string } | undefined): boolean {
  return failure !== undefined && IDENTITY_CODES.has(failure.code);
}

/** Something stands where the marker belongs. It is never written over: it may be the damaged marker. */
export function unreadableMarker(): ArchiverError {
  return new ArchiverError("archive-marker-unreadable", `${ARCHIVE_MARKER_KEY} cannot be understood`, {
    scope: "system",
    retry: "never",
    hint: `Restore ${ARCHIVE_MARKER_KEY} from a backup. Without one, move it away and run: iotda-archiver init --adopt`,
  });
}
