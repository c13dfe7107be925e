import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { archiveFunction } from "./archive-function.ts";
import { discoverFunction } from "./discover-function.ts";
import { exportEventsFunction } from "./events-function.ts";
import { expireFunction } from "./expire-function.ts";
import { functionHandler } from "./function-host.ts";
import { retainFunction } from "./retain-function.ts";

const CONTEXT = { getRemainingTimeInMillis: () => 60_000 };
const HANDLERS = {
  archive: functionHandler<unknown>(archiveFunction),
  discover: functionHandler<unknown>(discoverFunction),
  exportEvents: functionHandler<unknown>(exportEventsFunction()),
  expire: functionHandler<unknown>(expireFunction),
  retain: functionHandler<unknown>(retainFunction),
};

beforeEach(() => {
  vi.spyOn(process.stdout, "write").mockImplementation(() => true);
  vi.spyOn(process.stderr, "write").mockImplementation(() => true);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

test.each(Object.entries(HANDLERS))(
  "%s does not start where no certificate is checked",
  async (_name, handler) => {
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    expect(await handler({}, CONTEXT)).toMatchObject({
      failure: {
        code: "configuration",
        message: expect.stringContaining("NODE_TLS_REJECT_UNAUTHORIZED: is 0"),
      },
    });
  },
);
