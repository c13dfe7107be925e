import { resolve, sep } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { folderOfPrefix, isObjectKey, objectNameOfUpload, objectPath, uploadName } from "./file-keys.ts";

const ROOT = resolve("/somewhere/store");
const refusal = expect.objectContaining({ code: "store-misconfigured", scope: "system" });

function refusalOf(call: () => unknown): unknown {
  try {
    return call();
  } catch (thrown) {
    return thrown;
  }
}

describe("a key", () => {
  test.each([
    "",
    "/etc/passwd",
    "exports/",
    "exports//x",
    "..",
    "../x",
    "exports/../../x",
    "exports/./x",
    "exports/.hidden",
    ".hidden/x",
    "exports\\x",
    "exports/x\0.zip",
    "state/lock.db",
    "state/lock.db-wal",
    "lost+found/x",
  ])("like %j is refused", (key) => {
    expect(isObjectKey(key)).toBe(false);
    expect(refusalOf(() => objectPath(ROOT, key))).toEqual(refusal);
  });

  test("never leads out of the root, whatever it is", () => {
    const names = fc.constantFrom(
      "..",
      ".",
      "",
      "a",
      "/",
      "\\",
      "\0",
      "exports",
      ".x",
      "~",
      "%2e%2e",
      "lost+found",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(names, fc.string({ unit: "binary" }))), (parts) => {
        const key = parts.join("/");
        const path = refusalOf(() => objectPath(ROOT, key));
        expect(
          typeof path === "string" ? resolve(path).startsWith(ROOT + sep) : isObjectKey(key) === false,
        ).toBe(true);
      }),
    );
  });

  test("of the layout is a path below the root", () => {
    const key = "exports/0123abcd/default/undated/export_task-01/fe8e44f7-0a1b2c.zip";
    expect(objectPath(ROOT, key)).toBe(`${ROOT}/${key}`);
  });
});

describe("a prefix", () => {
  test.each([
    ["", ""],
    ["exports", ""],
    ["exports/", "exports"],
    ["exports/a/fe8e", "exports/a"],
  ])("like %j is looked for in the folder %j", (prefix, folder) => {
    expect(folderOfPrefix(ROOT, prefix)).toBe(folder);
  });

  test.each(["/", "/exports/", "../", "exports/../", "exports//", "a\\", "a/\0"])(
    "like %j is refused",
    (prefix) => {
      expect(refusalOf(() => folderOfPrefix(ROOT, prefix))).toEqual(refusal);
    },
  );
});

describe("the name of an upload", () => {
  test("gives the object's name back, and is not an object's", () => {
    const hidden = uploadName("fe8e44f7-0a1b2c.zip", "0123456789ab");
    expect(objectNameOfUpload(hidden)).toBe("fe8e44f7-0a1b2c.zip");
    expect(isObjectKey(`exports/${hidden}`)).toBe(false);
  });

  test.each(["x.upload", ".x.upload", ".0123456789ab.upload", ".x.0123456789AB.upload", ".document"])(
    "is not %j",
    (name) => {
      expect(objectNameOfUpload(name)).toBeUndefined();
    },
  );
});
