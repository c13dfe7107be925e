import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../test/contract/temp-folder.ts";
import { requireOutside, writeNewFile } from "./restore-target.ts";

const BYTES = Buffer.from("an export");

/** `done`, or what was thrown. */
async function outcomeOf(attempt: Promise<void>): Promise<unknown> {
  return await attempt.then(
    () => "done",
    (error: unknown) => error,
  );
}

describe("a new file", () => {
  test.each([
    ["one letter", "x"],
    ["250 bytes", "x".repeat(250)],
    ["255 bytes", `${"é".repeat(127)}x`],
  ])("may have a name of %s", async (_, name) => {
    const folder = await temporaryFolder();
    await writeNewFile(join(folder, name), (write) => write(BYTES));
    expect(await readFile(join(folder, name))).toEqual(BYTES);
    expect(await readdir(folder)).toEqual([name]);
  });

  test("with a longer name is refused before a byte is asked for", async () => {
    const folder = await temporaryFolder();
    let asked = false;
    const attempt = writeNewFile(join(folder, "x".repeat(256)), async () => {
      asked = true;
    });
    expect(await outcomeOf(attempt)).toMatchObject({
      code: "restore-target",
      message: "the program cannot write the file (ENAMETOOLONG)",
      hint: expect.stringContaining("shorter name"),
    });
    expect(asked).toBe(false);
  });

  test("is not there when it could not be filled, nor is anything else", async () => {
    const folder = await temporaryFolder();
    const attempt = writeNewFile(join(folder, "x"), async (write) => {
      await write(BYTES);
      throw new Error("damaged");
    });
    expect(await outcomeOf(attempt)).toMatchObject({ message: "damaged" });
    expect(await readdir(folder)).toEqual([]);
  });

  test("in a folder that is not there says so", async () => {
    const folder = await temporaryFolder();
    const attempt = writeNewFile(join(folder, "none", "x"), (write) => write(BYTES));
    expect(await outcomeOf(attempt)).toMatchObject({
      code: "restore-target",
      message: "the program cannot write the file (ENOENT)",
    });
  });

  test("takes no place that was taken meanwhile", async () => {
    const file = join(await temporaryFolder(), "x");
    const attempt = writeNewFile(file, async (write) => {
      await write(BYTES);
      await writeFile(file, "another");
    });
    expect(await outcomeOf(attempt)).toMatchObject({ code: "restore-target" });
    expect(await readFile(file, "utf8")).toBe("another");
  });
});

describe("the store's folder", () => {
  /** `real/store/exports`, and links to store and exports. */
  async function openScene() {
    const folder = await temporaryFolder();
    const store = join(folder, "real", "store");
    await mkdir(join(store, "exports"), { recursive: true });
    await mkdir(join(folder, "real", "store-2"));
    await symlink(store, join(folder, "to-store"));
    await symlink(join(store, "exports"), join(folder, "to-exports"));
    return { folder, store };
  }

  test.each([
    "real/store/x",
    "real/store/exports/x",
    "real/store-2/../store/x",
    "to-store/x",
    "to-store/exports/x",
    "to-exports/x",
  ])("is not written into: %s", async (place) => {
    const { folder, store } = await openScene();
    for (const root of [store, join(folder, "to-store")]) {
      // Joined by hand: `join` would resolve the two dots.
      expect(await outcomeOf(requireOutside(`${folder}/${place}`, root))).toMatchObject({
        code: "restore-target",
        message: "the path of --to is inside the archive's own store",
      });
    }
  });

  test.each(["x", "real/x", "real/store", "real/store-2/x"])("does not hold %s", async (place) => {
    const { folder, store } = await openScene();
    expect(await outcomeOf(requireOutside(join(folder, place), store))).toBe("done");
  });

  test("that is missing holds nothing, and a missing place is named", async () => {
    const { folder } = await openScene();
    expect(await outcomeOf(requireOutside(join(folder, "x"), join(folder, "none")))).toBe("done");
    expect(await outcomeOf(requireOutside(join(folder, "none", "x"), folder))).toMatchObject({
      code: "restore-target",
      message: "the program cannot write the file (ENOENT)",
    });
  });
});
