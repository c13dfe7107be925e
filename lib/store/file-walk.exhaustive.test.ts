import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ManualClock, realRandom } from "../../test/contract/clocks.ts";
import { temporaryFolder } from "../../test/contract/temp-folder.ts";
import { FileRoot } from "./file-root.ts";
import { listObjects } from "./file-walk.ts";

/** More than a call of a function takes as arguments: the folders of 150,000 exports stand in one folder. */
const FOLDERS = 150_000;

test(`a folder that holds ${FOLDERS} folders is listed`, { timeout: 600_000 }, async () => {
  const folder = await temporaryFolder();
  for (let index = 0; index < FOLDERS; index += 1) {
    mkdirSync(join(folder, `records/p/default/task-${index}`), { recursive: true });
  }
  writeFileSync(join(folder, "records/p/default/task-7/archived.json"), "{}");
  const keys: string[] = [];
  for await (const { key } of listObjects(
    new FileRoot(folder, { clock: new ManualClock(), random: realRandom }),
    "records/p/default/",
    new AbortController().signal,
  )) {
    keys.push(key);
  }
  expect(keys).toEqual(["records/p/default/task-7/archived.json"]);
});
