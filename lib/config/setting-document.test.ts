import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { readSettingDocument } from "./setting-document.ts";

const { signal } = new AbortController();
const DOCUMENTS = new Map<string, string | undefined>([
  ["expected.json", "{stored}"],
  ["picture.json", undefined],
]);
const store = {
  getDocument: async (key: string) =>
    DOCUMENTS.has(key) ? { text: DOCUMENTS.get(key), etag: "e" } : undefined,
};

test("the document of a setting is its own text, a file, or a document of the store", async () => {
  await using folder = await temporaryFolder();
  const file = path.join(folder.path, "expected.json");
  await writeFile(file, "{file}");
  const large = path.join(folder.path, "large.json");
  await writeFile(large, "x".repeat(1024 * 1024 + 1));
  const read = (place: Parameters<typeof readSettingDocument>[1]) =>
    readSettingDocument("ARCHIVER_EXPECT", place, store, { signal });
  expect(await read({ kind: "inline", text: "{own}" })).toBe("{own}");
  expect(await read({ kind: "file", file })).toBe("{file}");
  expect(await read({ kind: "store", key: "expected.json" })).toBe("{stored}");
  for (const [place, problem] of [
    [{ kind: "file", file: large }, "names a file of more than 1.00 MiB"],
    [{ kind: "file", file: folder.path }, "names a file that cannot be read"],
    [{ kind: "store", key: "other.json" }, "names a document that is not in the store"],
    [{ kind: "store", key: "picture.json" }, "names a document that is not text"],
  ] as const) {
    await expect(read(place)).rejects.toMatchObject({
      code: "configuration",
      problems: [{ name: "ARCHIVER_EXPECT", problem }],
    });
  }
});

async function temporaryFolder() {
  const made = await mkdtemp(path.join(tmpdir(), "setting-document-"));
  return { path: made, [Symbol.asyncDispose]: () => rm(made, { recursive: true, force: true }) };
}
