import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { SETTINGS } from "../lib/config/names.ts";

test("the README's settings are exactly those the program reads", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const rows = readme.split("\n").filter((line) => /^\| `[A-Z_0-9]+` \|/.test(line));
  expect(rows).toEqual(
    SETTINGS.map((setting) => `| \`${setting.name}\` | ${setting.default} | ${setting.meaning} |`),
  );
});
