// Usage: queue-consumer.ts {file.db or folder of a store} {visibilityMs} drain | hold
// Says "ready", then settles every message and says its body, until one says "stop"; or takes one, says so,
// and holds it for ever.
import { SqliteQueue } from "../../../lib/queue/sqlite-queue.ts";
import { StoreQueue } from "../../../lib/queue/store-queue.ts";
import { FileStore } from "../../../lib/store/file-store.ts";
import { patientClock, realClock, realRandom } from "../clocks.ts";

const [place = "", visibilityMs = "", mode = ""] = process.argv.slice(2);
const parts = { clock: patientClock, random: realRandom };
const options = { visibilityMs: Number(visibilityMs), ...parts };
const queue = place.endsWith(".db") ? await SqliteQueue.open(place, options) : storeQueue();

function storeQueue(): StoreQueue {
  return new StoreQueue(new FileStore(place, parts), {
    ...{ ...options, clock: realClock, longPollMs: 20 },
    onOddFile: (key, problem) => {
      throw new Error(`${key} ${problem}`);
    },
    onLeasedToAnother: () => undefined,
  });
}
const { signal } = new AbortController();

console.log("ready");
for (;;) {
  const received = await queue.receive({ signal });
  if (received === undefined) {
    continue;
  }
  if (mode === "hold") {
    console.log(received.body);
    await realClock.sleep(600_000);
  }
  await queue.acknowledge(received, { signal });
  if (received.body === "stop") {
    break;
  }
  console.log(received.body);
}
await queue.close();
