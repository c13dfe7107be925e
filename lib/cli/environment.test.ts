import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { loadConfiguration } from "./environment.ts";

afterEach(() => vi.unstubAllEnvs());

test("the AWS SDK sees the keys of an env file, and the real environment wins", async () => {
  const folder = await mkdtemp(join(tmpdir(), "archiver-env-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "archiver.env");
  await writeFile(file, "AWS_ACCESS_KEY_ID=fromTheFile\nAWS_REGION=from-the-file\nOTHER_NAME=fromTheFile\n");
  vi.stubEnv("AWS_ACCESS_KEY_ID", undefined);
  vi.stubEnv("OTHER_NAME", undefined);
  vi.stubEnv("AWS_REGION", "from-outside");
  await loadConfiguration(file, []);
  expect(process.env).toMatchObject({ AWS_ACCESS_KEY_ID: "fromTheFile", AWS_REGION: "from-outside" });
  expect(process.env).not.toHaveProperty("OTHER_NAME");
});
