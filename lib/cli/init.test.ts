import { expect, test } from "vitest";
import type { InitReport } from "../identity/init-archive.ts";
import { initLines } from "./init.ts";

const REPORT: InitReport = {
  archiveId: "6d1f0a52-9c1e-4a0b-8f53-2f6f3d1b7c10",
  createdAt: "2026-11-29T01:02:03.000Z",
  made: true,
  abilities: { createOnce: true, compareAndSwap: true, verification: "read-back" },
  found: [],
  foundMore: false,
};

test("a new archive is named, and how to hold every run to it", () => {
  expect(initLines(REPORT)).toEqual([
    "Created archive 6d1f0a52-9c1e-4a0b-8f53-2f6f3d1b7c10.",
    "The archiver proves each copy by reading it back.",
    "Set ARCHIVER_ARCHIVE_ID=6d1f0a52-9c1e-4a0b-8f53-2f6f3d1b7c10 to make every run refuse any other archive.",
  ]);
});

test("one that is there already is not made again", () => {
  expect(initLines({ ...REPORT, made: false })[0]).toBe(
    "Archive 6d1f0a52-9c1e-4a0b-8f53-2f6f3d1b7c10 already exists here, since 2026-11-29.",
  );
});

test("what else lies there, the archive before, and what the store cannot do are said", () => {
  const lines = initLines({
    ...REPORT,
    replaced: "11111111-1111-4111-8111-111111111111",
    abilities: { createOnce: false, compareAndSwap: false, verification: "stored" },
    found: [
      { name: "exports/", objects: 120 },
      { name: "notes.txt", objects: 1 },
    ],
    foundMore: true,
  });
  expect(lines.slice(1, -1)).toEqual([
    "The queue remembered archive 11111111-1111-4111-8111-111111111111; from now on it remembers this one.",
    "init left alone what already lies below the prefix: 120 objects in exports/, 1 object in notes.txt, and more.",
    "The archiver proves each copy by the digest that the store computes.",
    "This store has no conditional writes. Let only one machine at a time work on the archive.",
  ]);
});
