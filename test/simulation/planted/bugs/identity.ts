import type { PlantedBug } from "../planted-bug.ts";

/** Bugs in how an archive is known: each lets a run work with a place that is not the archive it was set up for. */
export const IDENTITY_BUGS: readonly PlantedBug[] = [
  {
    name: "marker not compared with the memory",
    breaks: "Whatever archive lies at the place is taken for the one that is meant.",
    invariant: "I10",
    file: "lib/identity/open-archive.ts",
    find: "  requireExpected(marker, expected);\n  if (remembered === undefined) {",
    replace: "  if (remembered === undefined) {",
  },
  {
    name: "only the memory is compared",
    breaks: "An archive that the settings do not name is worked with, where no queue remembers one.",
    invariant: "I10",
    file: "lib/identity/open-archive.ts",
    find: '...(archiveId === undefined ? [] : [{ archiveId, by: "setting" as const }]),',
    replace: "",
  },
  {
    name: "empty place made an archive with deletion on",
    breaks: "A disk that is not mounted becomes a new archive, and tasks are deleted once they lie there.",
    invariant: "I10",
    file: "lib/identity/open-archive.ts",
    find: 'if (!isFromBeforeMarkers && purpose !== "begin") {',
    replace: 'if (!isFromBeforeMarkers && purpose === "use") {',
  },
  {
    name: "an empty place taken for an archive from before",
    breaks: "The look for records says yes where there are none.",
    invariant: "I10",
    file: "lib/identity/own-records.ts",
    find: "  return false;\n}",
    replace: "  return true;\n}",
  },
  {
    name: "records excuse a missing marker",
    breaks: "An archive from before markers is worked with, although another archive is expected.",
    invariant: "I10",
    file: "lib/identity/open-archive.ts",
    find: "  if (expected !== undefined) {\n    throw noArchive(",
    replace:
      "  if (expected !== undefined && !(await hasArchivedRecord(store, scope, options))) {\n    throw noArchive(",
  },
  {
    name: "remembered before it is compared",
    breaks: "The queue remembers a foreign archive, and refuses its own from then on.",
    invariant: "I10",
    file: "lib/identity/open-archive.ts",
    find: [
      "  requireExpected(marker, expected);",
      "  if (remembered === undefined) {",
      "    await ports.memory?.remember(marker.archiveId, options);",
      "  }",
    ].join("\n"),
    replace: [
      "  if (remembered === undefined) {",
      "    await ports.memory?.remember(marker.archiveId, options);",
      "  }",
      "  requireExpected(marker, expected);",
    ].join("\n"),
  },
  {
    name: "a memory that fails remembers nothing",
    breaks: "While the queue does not answer, any archive will do.",
    invariant: "I10",
    file: "lib/identity/open-archive.ts",
    find: "const remembered = await ports.memory?.recall(options);",
    replace: "const remembered = await ports.memory?.recall(options).catch(() => undefined);",
  },
  {
    name: "a marker that cannot be read is none",
    breaks: "A read that fails counts as absence: a new archive begins on top of the old one.",
    invariant: "I10",
    file: "lib/identity/marker.ts",
    find: "const found = await store.getDocument(ARCHIVE_MARKER_KEY, options);",
    replace: "const found = await store.getDocument(ARCHIVE_MARKER_KEY, options).catch(() => undefined);",
  },
  {
    name: "records that cannot be listed are there",
    breaks: "A list that fails counts as an answer: a store that answers badly is taken over.",
    invariant: "I10",
    file: "lib/identity/open-archive.ts",
    find: "const isFromBeforeMarkers = await hasArchivedRecord(store, scope, options);",
    replace: "const isFromBeforeMarkers = await hasArchivedRecord(store, scope, options).catch(() => true);",
  },
  {
    name: "failed opening passes for an open archive",
    breaks: "What was found out is forgotten: the second call to the store goes through.",
    invariant: "I10",
    file: "lib/identity/archive-object-store.ts",
    find: "          throw error;",
    replace:
      "          this.#opening = { signal, archive: Promise.resolve({ marker: undefined }) };\n          throw error;",
  },
  {
    name: "failed opening is never tried again",
    breaks: "A program that lives on, such as a warm function, refuses its archive when it is back.",
    invariant: "I3",
    file: "lib/identity/archive-object-store.ts",
    find: "if (this.#opening === opening) {",
    replace: "if (this.#opening === undefined) {",
  },
  {
    name: "gate without a look at the marker",
    breaks:
      "A store that was put in the archive's place during the run holds nothing back, and lets deletes through.",
    invariant: "I10",
    file: "lib/archive/gate.ts",
    find: "  await requireOwnArchive(run, signal);\n",
    replace: "",
  },
];
