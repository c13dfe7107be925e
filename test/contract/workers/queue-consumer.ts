// Usage: queue-consumer.ts {file} {visibilityMs} drain | hold
// Says "ready", then settles every message and says its body, until one says "stop"; or takes one, says so,
// and holds it for ever.
import { SqliteQueue } from "../../../lib/queue/sqlite-queue.ts";
import { patientClock, realClock, realRandom } from "../clocks.ts";

const [file = "", visibilityMs = "", mode = ""] = process.argv.slice(2);
const queue = await SqliteQueue.open(file, {
  visibilityMs: Number(visibilityMs),
  clock: patientClock,
  random: realRandom,
});
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
queue.close();
