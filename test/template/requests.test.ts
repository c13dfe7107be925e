import { glob, readFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { ACTIONS_OF_COMMANDS, GRANTED_ACTIONS } from "./grants.ts";

const LIB = path.join(import.meta.dirname, "../../lib");

test("every request to S3 and SQS in the sources has its permission, and no permission lacks a request", async () => {
  const commands = new Set<string>();
  for await (const file of glob("{store,queue}/**/*.ts", {
    cwd: LIB,
    exclude: ["**/*.test.ts", "**/testing/**"],
  })) {
    const text = await readFile(path.join(LIB, file), "utf8");
    for (const [, command = ""] of text.matchAll(/new (\w+Command)\(/g)) {
      commands.add(command);
    }
  }
  expect(commands).toContain("ListObjectsV2Command");
  expect([...commands].filter((command) => !(command in ACTIONS_OF_COMMANDS))).toEqual([]);

  const needed = new Set(Object.values(ACTIONS_OF_COMMANDS).filter((action) => action.includes(":")));
  expect([...GRANTED_ACTIONS].filter((action) => /^(s3|sqs):/.test(action)).sort()).toEqual(
    [...needed].sort(),
  );
});
