import { describe, test } from "vitest";
import { COMMANDS, expectCommandRefused, expectFunctionRefused, FUNCTIONS } from "./refusals.ts";
import { BUCKET_PLACES, FOLDER_PLACES } from "./wrong-places.ts";

describe.each([
  ["a folder", FOLDER_PLACES],
  ["a bucket", BUCKET_PLACES],
])("%s that is not the archive", (_kind, places) => {
  describe.each(Object.entries(places))("%s", (_what, open) => {
    test("is refused by every command and function, and left as it is", async (context) => {
      const place = await open(context);
      for (const command of COMMANDS) {
        await expectCommandRefused(place, command);
      }
      for (const call of FUNCTIONS) {
        await expectFunctionRefused(place, call);
      }
    });
  });
});
