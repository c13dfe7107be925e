import { expect, test } from "vitest";
import { nearestName } from "./nearest-name.ts";

test("suggests what is a few letters away, for a short name fewer", () => {
  expect(nearestName("ARCHIVER_DELTE", ["ARCHIVER_STORE", "ARCHIVER_DELETE"])).toBe("ARCHIVER_DELETE");
  expect(nearestName("paln", ["plan", "sweep", "expire"])).toBe("plan");
  expect(nearestName("keep", ["keepDays", "lock"])).toBe("keepDays");
  expect(nearestName("foo", ["list", "add", "remove"])).toBeUndefined();
});
