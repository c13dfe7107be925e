import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { ManualClock, realRandom } from "../../../test/contract/clocks.ts";
import { S3Store } from "./s3-store.ts";

const { signal } = new AbortController();

/** A store of which only the clock is of interest. It answers in no time of this clock's. */
async function storeAhead(clock: ManualClock, aheadMs: number, status = 200) {
  const server = createServer((_request, response) => {
    const date = new Date(clock.wallMs() + aheadMs).toUTCString();
    response.writeHead(status, { date, etag: '"x"', "content-length": 0 }).end();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const store = new S3Store(
    {
      bucket: "b",
      prefix: "",
      profile: "generic",
      credentials: { kind: "huawei" },
      pathStyle: true,
      sse: undefined,
      kmsKeyId: undefined,
      storageClass: undefined,
      endpoint: new URL(`http://127.0.0.1:${port}`),
      region: undefined,
      partSizeBytes: 1024,
      partsInFlight: 2,
    },
    { clock, random: realRandom, huaweiCredentials: async () => ({ ak: "ak", sk: "sk" }) },
  );
  onTestFinished(() => {
    store.close();
    server.close();
  });
  return store;
}

test.each([0, 1, 59, 250, 500, 941, 999, -12_345])(
  "a clock %i ms ahead is read within 30 ms",
  async (aheadMs) => {
    const clock = new ManualClock();
    const store = await storeAhead(clock, aheadMs);
    const startedMs = clock.monotonicMs();
    const readMs = await store.readClockMs({ signal });
    expect(Math.abs(readMs - (clock.wallMs() + aheadMs))).toBeLessThanOrEqual(30);
    expect(clock.monotonicMs() - startedMs).toBeLessThanOrEqual(1_100);
  },
);

test.each([403, 404])("an answer %i tells the time too", async (status) => {
  const clock = new ManualClock();
  const store = await storeAhead(clock, 5_000, status);
  const readMs = await store.readClockMs({ signal });
  expect(Math.abs(readMs - (clock.wallMs() + 5_000))).toBeLessThanOrEqual(30);
});
