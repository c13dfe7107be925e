import { join } from "node:path";
import { SqliteQueue } from "../../lib/queue/sqlite-queue.ts";
import { ManualClock, realRandom } from "./clocks.ts";
import { describeTaskQueue } from "./task-queue.contract.ts";
import { temporaryFolder } from "./temp-folder.ts";

describeTaskQueue("sqlite", async () => {
  const visibilityMs = 10_000;
  const clock = new ManualClock();
  const filePath = join(await temporaryFolder(), "queue.db");
  const options = { visibilityMs, clock, random: realRandom };
  const queue = await SqliteQueue.open(filePath, options);
  const other = await SqliteQueue.open(filePath, options);
  return {
    queue,
    other,
    visibilityMs,
    pass: async (ms) => clock.advance(ms),
    close: async () => {
      queue.close();
      other.close();
    },
  };
});
