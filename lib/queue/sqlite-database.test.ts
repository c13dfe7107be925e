import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test, vi } from "vitest";
import { ManualClock, realRandom } from "../../test/contract/clocks.ts";
import { temporaryFolder } from "../../test/contract/temp-folder.ts";
import { SqliteQueue } from "./sqlite-queue.ts";

const { signal } = new AbortController();

/** Makes the file what a queue is told by, as far as no process is reading it; a process that finds it locked waits. */
function makeOrFindLocked(database: DatabaseSync): void {
  try {
    database.exec(`
      BEGIN IMMEDIATE;
      CREATE TABLE made_by_another_process (id INTEGER);
      PRAGMA application_id = 0x496f5451;
      PRAGMA user_version = 1;
      COMMIT;
    `);
  } catch (thrown) {
    expect(thrown).toMatchObject({ message: expect.stringContaining("locked") });
    if (database.isTransaction) {
      database.exec("ROLLBACK");
    }
  }
}

test("a queue that another process makes while the file is looked at is not refused", async () => {
  const filePath = join(await temporaryFolder(), "queue.db");
  const other = new DatabaseSync(filePath);
  onTestFinished(() => other.close());
  const { prepare } = DatabaseSync.prototype;
  let looks = 0;
  const spy = vi.spyOn(DatabaseSync.prototype, "prepare").mockImplementation(function (
    this: DatabaseSync,
    sql,
  ) {
    if (sql.includes("sqlite_master")) {
      looks += 1;
      makeOrFindLocked(other);
    }
    return prepare.call(this, sql);
  });
  onTestFinished(() => spy.mockRestore());
  const parts = { visibilityMs: 120_000, clock: new ManualClock(), random: realRandom };
  const queue = await SqliteQueue.open(filePath, parts);
  onTestFinished(() => queue.close());
  expect(looks).toBeGreaterThan(0);
  await queue.sendBodies(["task-1"], { signal, delayMs: 0 });
  expect(await queue.receive({ signal })).toMatchObject({ body: "task-1" });
});
