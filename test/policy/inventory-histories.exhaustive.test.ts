import { test } from "vitest";
import { effortOf } from "../simulation/effort.ts";
import { expectSoundHistories } from "./inventory-histories.ts";

const { requestHistories: histories } = effortOf(process.env);

test(`after each of ${histories} random histories the catalogue is what a full reading gives`, {
  timeout: 3_600_000,
}, async () => {
  await expectSoundHistories(histories);
});
