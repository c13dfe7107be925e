import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { handler as archive } from "../functions/archive.ts";
import { handler as discover } from "../functions/discover.ts";
import { handler as doctor } from "../functions/doctor.ts";
import { handler as expire } from "../functions/expire.ts";
import { handler as exportEvents } from "../functions/exportEvents.ts";
import { handler as inventory } from "../functions/inventory.ts";
import { handler as report } from "../functions/report.ts";
import { handler as retain } from "../functions/retain.ts";

const CONTEXT = { getRemainingTimeInMillis: () => 60_000 };
const SAID = "NODE_TLS_REJECT_UNAUTHORIZED: is 0";

beforeEach(() => {
  vi.spyOn(process.stdout, "write").mockImplementation(() => true);
  vi.spyOn(process.stderr, "write").mockImplementation(() => true);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

test.each(Object.entries({ archive, discover, expire, inventory, report, retain }))(
  "%s does not start where no certificate is checked",
  async (_name, handler) => {
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    expect(await handler({}, CONTEXT)).toMatchObject({
      failure: { code: "configuration", message: expect.stringContaining(SAID) },
    });
  },
);

test("doctor names it, and examines nothing else", async () => {
  vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
  expect(await doctor({}, CONTEXT)).toMatchObject({
    verdict: "broken",
    checks: expect.arrayContaining([
      expect.objectContaining({ id: "setting-values", cause: expect.stringContaining(SAID) }),
    ]),
    left: ["platform", "store", "queue", "schedule", "notification", "archive"],
  });
});

test("nor does exportEvents, and its event comes again", async () => {
  vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
  await expect(exportEvents({}, CONTEXT)).rejects.toThrow(SAID);
});
