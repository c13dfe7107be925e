import { test } from "vitest";
import { expectSoundHistories } from "./inventory-histories.ts";

test("after each of 50 random histories the catalogue is what a full reading gives", async () => {
  await expectSoundHistories(50);
});
