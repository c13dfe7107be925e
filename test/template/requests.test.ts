import { glob, readFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import {
  ACTIONS_OF_COMMANDS,
  ACTIONS_OF_LAMBDA,
  ACTIONS_OF_NO_REQUEST,
  ACTIONS_OF_VERSIONS,
} from "./actions.ts";
import { GRANTED_ACTIONS } from "./grants.ts";

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

  const actions = [ACTIONS_OF_COMMANDS, ACTIONS_OF_VERSIONS].flatMap((table) => Object.values(table));
  const needed = new Set([
    ...actions.filter((action) => action.includes(":")),
    ...ACTIONS_OF_NO_REQUEST,
    ...ACTIONS_OF_LAMBDA,
  ]);
  expect([...GRANTED_ACTIONS].filter((action) => /^(s3|sqs):/.test(action)).sort()).toEqual(
    [...needed].sort(),
  );
});
