import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type S3StandIn, startS3 } from "../../sandbox/s3/start.ts";
import { impatientClock, storeOn } from "./s3-servers.ts";
import { begin, bytesOf, KEY, readAll, sha256Of } from "./store-helpers.ts";

const { signal } = new AbortController();
const PART_BYTES = 128 * 1024;
const BODY = bytesOf(3 * PART_BYTES + 1234);

let standIn: S3StandIn;
beforeAll(async () => {
  standIn = await startS3({ profile: "obs", settings: { minPartBytes: PART_BYTES } });
});
afterAll(() => standIn.stop());

/** Temporary keys as an agency has them; `change` makes others, and the store takes no other any more. */
function changingKeys() {
  let account = { accessKeyId: "", secretAccessKey: "", sessionToken: "" };
  let changes = 0;
  return {
    get account() {
      return account;
    },
    async change() {
      changes += 1;
      const name = `AGENCY${changes}`;
      account = { accessKeyId: name, secretAccessKey: `secret of ${name}`, sessionToken: `token of ${name}` };
      await standIn.control.changeSettings({ accounts: [account] });
    },
  };
}

test("each request is signed with the keys of its moment: also the late parts of an upload, and its completion", async () => {
  const keys = changingKeys();
  await keys.change();
  const { endpoint, region, bucket } = standIn;
  const server = {
    ...{ endpoint, region, bucket },
    get account() {
      return keys.account;
    },
  };
  const store = storeOn(
    server,
    { profile: "obs", partSizeBytes: PART_BYTES, partsInFlight: 2 },
    impatientClock,
  );
  onTestFinished(() => store.close());
  await store.preflight({ signal });
  const upload = await begin(store, KEY);
  for (let start = 0; start < BODY.length; start += PART_BYTES) {
    await upload.write(BODY.subarray(start, start + PART_BYTES));
    await keys.change();
  }
  await upload.complete({ sizeBytes: BODY.length, sha256: sha256Of(BODY) });
  await keys.change();
  expect((await readAll(store, KEY)).equals(BODY)).toBe(true);
});
