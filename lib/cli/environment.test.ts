import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { loadConfiguration } from "./environment.ts";
import { shownSecrets } from "./output.ts";

afterEach(() => vi.unstubAllEnvs());

async function fileWith(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "archiver-env-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "archiver.env");
  await writeFile(file, text, { mode: 0o600 });
  return file;
}

test("the AWS SDK sees the keys of an env file, and the real environment wins", async () => {
  const file = await fileWith(
    "AWS_ACCESS_KEY_ID=fromTheFile\nAWS_REGION=from-the-file\nOTHER_NAME=fromTheFile\n",
  );
  vi.stubEnv("AWS_ACCESS_KEY_ID", undefined);
  vi.stubEnv("OTHER_NAME", undefined);
  vi.stubEnv("AWS_REGION", "from-outside");
  await loadConfiguration({ config: file }, []);
  expect(process.env).toMatchObject({ AWS_ACCESS_KEY_ID: "fromTheFile", AWS_REGION: "from-outside" });
  expect(process.env).not.toHaveProperty("OTHER_NAME");
});

test("the secrets of a file are never shown, also those that no command needs", async () => {
  const [eventSecret, token] = ["plantedEventSecret0123456789", "plantedToken0123456789"];
  vi.stubEnv("AWS_SESSION_TOKEN", undefined);
  await loadConfiguration(
    { config: await fileWith(`ARCHIVER_EVENT_SECRET=${eventSecret}\nAWS_SESSION_TOKEN=${token}\n`) },
    [],
  );
  expect(shownSecrets.result(`${eventSecret} ${token}`)).toBe("[redacted] [redacted]");
});

test("the file may be named by either option, and by both only when they name the same", async () => {
  const file = await fileWith("ARCHIVER_DELETE=never\n");
  for (const options of [{ config: file }, { envFile: file }, { config: file, envFile: file }]) {
    expect(await loadConfiguration(options, [])).toMatchObject({ archive: { deletion: "never" } });
  }
  const other = await fileWith("ARCHIVER_DELETE=never\n");
  await expect(loadConfiguration({ config: file, envFile: other }, [])).rejects.toMatchObject({
    code: "configuration",
    problems: [{ name: "--config and --env-file", problem: expect.stringContaining(other) }],
  });
});

test("lines of the file and the settings themselves are one list of problems, without a value of a line", async () => {
  const file = await fileWith(
    [
      "ARCHIVER_IOTDA_PROJECT_ID: s3cr3t-1",
      "ARCHIVER_DELETE=never",
      "ARCHIVER_QUEUE=sqlite://relative.db",
      "ARCHIVER_DELETE=after-verify",
      "ARCHIVER_DELTE=never",
      'ARCHIVER_STORE="nowhere',
      'HUAWEICLOUD_SDK_SK=s3cr3t-2"',
    ].join("\n"),
  );
  const refused: unknown = await loadConfiguration({ config: file }, ["queue", "store"]).catch((e) => e);
  expect(refused).toMatchObject({
    problems: [
      { name: expect.stringMatching(/, line 1$/), problem: expect.stringContaining("neither") },
      { name: expect.stringMatching(/, line 4$/), problem: expect.stringContaining("that line 2 sets") },
      { name: expect.stringMatching(/, line 7$/), problem: expect.stringContaining("begins on line 6") },
      { name: "ARCHIVER_DELTE" },
      { name: "ARCHIVER_STORE", problem: expect.stringContaining("nowhere") },
      { name: "ARCHIVER_QUEUE" },
    ],
  });
  expect(String(refused)).not.toContain("s3cr3t");
});

test("what only Node's environment can carry is refused in the file, once, and no file is recommended for it", async () => {
  vi.stubEnv("NODE_EXTRA_CA_CERTS", undefined);
  vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", undefined);
  const file = await fileWith(
    "NODE_EXTRA_CA_CERTS=/etc/own.pem\nNODE_TLS_REJECT_UNAUTHORIZED=0\nNODE_ENV=production\n",
  );
  await expect(loadConfiguration({ config: file }, [])).rejects.toMatchObject({
    problems: [
      { name: expect.stringMatching(/, NODE_EXTRA_CA_CERTS$/) },
      { name: expect.stringMatching(/, NODE_TLS_REJECT_UNAUTHORIZED$/) },
    ],
  });
  vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
  const refused: unknown = await loadConfiguration({}, []).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: "configuration" });
  expect(String(refused)).not.toContain("--config");
});
