import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi } from "vitest";
import { spawnS3, startS3 } from "./start.ts";
import { sendRaw } from "./testing/raw.ts";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));

describe("a stand-in in a process of its own", () => {
  test("has the profile and settings it was started with, and stops", async () => {
    const standIn = await spawnS3({ profile: "obs", settings: { buckets: [{ name: "other" }] } });
    expect([standIn.bucket, standIn.region]).toEqual(["other", "cn-north-4"]);
    const headers = { "x-amz-checksum-crc32": "AAAAAA==" };
    const answer = await sendRaw(standIn, { method: "PUT", url: "/other/k", headers, body: "x" });
    expect(answer.status).toBe(200);
    expect((await standIn.control.requests())[0]).toMatchObject({ key: "k", status: 200 });
    await standIn.stop();
    await expect(standIn.control.requests()).rejects.toThrow();
  });

  test("prints one line of JSON and ends when its parent does", async () => {
    const child = spawn(process.execPath, [MAIN, "--until-stdin-closes"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const exited = once(child, "exit");
    const [line] = await once(createInterface(child.stdout), "line");
    expect(JSON.parse(String(line))).toMatchObject({
      endpoint: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      bucket: "archive",
      region: "us-east-1",
      account: { accessKeyId: expect.any(String), secretAccessKey: expect.any(String) },
    });
    child.stdin.end();
    expect((await exited)[0]).toBe(0);
  });

  test("refuses settings it does not know", async () => {
    const child = spawn(process.execPath, [MAIN, "--settings", '{"colour":1}'], { stdio: "ignore" });
    expect((await once(child, "exit"))[0]).not.toBe(0);
  });
});

test("bodies on disk go with the stand-in, and with the upload they belong to", async () => {
  const folder = await mkdtemp(join(tmpdir(), "s3-test-"));
  vi.stubEnv("TMPDIR", folder);
  const standIn = await startS3();
  vi.unstubAllEnvs();
  const bodies = async () =>
    (await readdir(folder, { recursive: true })).filter((name) => /body-/.test(name));
  const url = `/${standIn.bucket}/k`;
  const begun = await sendRaw(standIn, { method: "POST", url: `${url}?uploads` });
  const uploadId = /<UploadId>([^<]+)/.exec(begun.text)?.[1];
  const part = {
    method: "PUT",
    url: `${url}?partNumber=1&uploadId=${uploadId}`,
    body: Buffer.alloc(300_000),
  };
  await sendRaw(standIn, part);
  await sendRaw(standIn, part);
  const headers = { "content-md5": "AAAAAAAAAAAAAAAAAAAAAA==" };
  expect((await sendRaw(standIn, { ...part, headers })).code).toBe("BadDigest");
  expect(await bodies()).toHaveLength(1);
  await sendRaw(standIn, { method: "DELETE", url: `${url}?uploadId=${uploadId}` });
  expect(await bodies()).toEqual([]);
  await standIn.stop();
  expect(await readdir(folder)).toEqual([]);
  await rm(folder, { recursive: true });
});
