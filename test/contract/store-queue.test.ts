import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import type { QueueStore } from "../../lib/queue/queue-store.ts";
import { StoreQueue } from "../../lib/queue/store-queue.ts";
import { type Documents, MemoryStore } from "../../lib/queue/testing/memory-store.ts";
import { FileStore } from "../../lib/store/file-store.ts";
import type { S3StoreOptions } from "../../lib/store/s3/client.ts";
import { type S3ProfileName, type S3StandIn, startS3 } from "../../sandbox/s3/start.ts";
import { ManualClock, patientClock, realRandom } from "./clocks.ts";
import { type QueueUnderTest, signal } from "./queue-under-test.ts";
import { makeBucket, newPrefix, realServer, type S3Server, storeOn } from "./s3-servers.ts";
import { describeTaskQueue } from "./task-queue.contract.ts";
import { temporaryFolder } from "./temp-folder.ts";

/** Whether several runners may receive at once; where one may, the other one of a test is the same. */
type Runners = "several" | "one";

interface StoresUnderTest {
  readonly stores: readonly [QueueStore, QueueStore];
  readonly close: () => unknown;
}

/** On a clock of the test's own, which is the store's too: what the adapter makes of a store's clock is not for a contract. */
function queuesOn({ stores, close }: StoresUnderTest, runners: Runners): QueueUnderTest {
  const visibilityMs = 30_000;
  const clock = new ManualClock();
  const [queue, other] = stores.map(
    (store) =>
      new StoreQueue(onClock(store, clock), {
        visibilityMs,
        clock,
        random: realRandom,
        onOddFile: (key, problem) => {
          throw new Error(`${key} ${problem}`);
        },
        onLeasedToAnother: () => undefined,
      }),
  );
  if (queue === undefined || other === undefined) {
    throw new Error("a contract needs two queues");
  }
  return {
    queue,
    other: runners === "several" ? other : queue,
    visibilityMs,
    pass: async (ms) => clock.advance(ms),
    close: async () => {
      close();
    },
  };
}

function onClock(store: QueueStore, clock: ManualClock): QueueStore {
  return {
    preflight: (options) => store.preflight(options),
    readClockMs: async () => clock.wallMs(),
    list: (prefix, options) => store.list(prefix, options),
    getDocument: (key, options) => store.getDocument(key, options),
    putDocument: (key, text, condition, options) => store.putDocument(key, text, condition, options),
    removeObject: (key, options) => store.removeObject(key, options),
  };
}

describe.each<[string, boolean, Runners]>([
  ["with", true, "several"],
  ["without", false, "one"],
])("on a store in memory %s conditional writes", (_name, canSwap, runners) => {
  describeTaskQueue("in memory", async () => {
    const documents: Documents = new Map();
    const make = () => new MemoryStore(documents, patientClock, canSwap);
    return queuesOn({ stores: [make(), make()], close: () => undefined }, runners);
  });
});

describeTaskQueue("in a folder", async () => {
  const folder = join(await temporaryFolder(), "store");
  const make = () => new FileStore(folder, { clock: patientClock, random: realRandom });
  const stores = [make(), make()] as const;
  // A queue lies in an archive that was opened before.
  await stores[0].preflight({ signal });
  return queuesOn({ stores, close: () => undefined }, "several");
});

function storesOn(server: S3Server | S3StandIn, profile: S3StoreOptions["profile"]): StoresUnderTest {
  const prefix = newPrefix();
  const stores = [storeOn(server, { profile, prefix }), storeOn(server, { profile, prefix })] as const;
  return { stores, close: () => stores.map((store) => store.close()) };
}

describe.each<[S3ProfileName, S3StoreOptions["profile"], Runners]>([
  ["aws", "aws", "several"],
  ["generic-rich", "generic", "several"],
  ["obs", "obs", "one"],
  ["generic-poorest", "generic", "one"],
])("on the stand-in playing %s", (standInProfile, profile, runners) => {
  let standIn: S3StandIn;
  beforeAll(async () => {
    standIn = await startS3({ profile: standInProfile });
  });
  afterAll(() => standIn.stop());

  describeTaskQueue(`in a bucket, profile ${profile}`, async () =>
    queuesOn(storesOn(standIn, profile), runners),
  );
});

const server = realServer();

describe.runIf(server !== undefined).each<[S3StoreOptions["profile"], Runners]>([
  ["aws", "several"],
  ["generic", "several"],
  ["obs", "one"],
])("on the real server, profile %s", (profile, runners) => {
  let removeBucket: () => Promise<void>;
  beforeAll(async () => {
    if (server !== undefined) {
      removeBucket = await makeBucket(server);
    }
  });
  afterAll(() => removeBucket());

  describeTaskQueue(`in a bucket, profile ${profile}`, async () => {
    if (server === undefined) {
      throw new Error("S3_ENDPOINT is not set");
    }
    return queuesOn(storesOn(server, profile), runners);
  });
});
