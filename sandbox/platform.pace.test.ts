import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { expect, onTestFinished, test } from "vitest";
import { ResultFiles } from "./files.ts";
import { TaskModel } from "./model.ts";
import { answerRequest } from "./platform.ts";
import { type SettingsInput, settingsSchema } from "./settings.ts";
import { signatureOf } from "./signature.ts";
import { SandboxState } from "./state.ts";

const INTERVAL_MS = 31_000;
const WINDOW_MS = 30_000;

/** Sends downloads of an unknown task at given moments; answers with the statuses. */
async function statusesOf(atMs: readonly number[], settings: SettingsInput = {}): Promise<number[]> {
  const folder = await mkdtemp(join(tmpdir(), "iotda-sandbox-"));
  const state = new SandboxState(
    folder,
    v.parse(settingsSchema, { downloadIntervalMs: INTERVAL_MS, ...settings }),
  );
  onTestFinished(async () => {
    state.close();
    await rm(folder, { recursive: true });
  });
  const files = new ResultFiles(folder);
  const parts = { state, files, model: new TaskModel(state, files) };
  const statuses: number[] = [];
  for (const moment of atMs) {
    const { answer } = await answerRequest(parts, { ...signedDownload(state), atMs: moment });
    statuses.push(answer?.status ?? 0);
  }
  return statuses;
}

function signedDownload({ settings }: SandboxState): Omit<Parameters<typeof answerRequest>[1], "atMs"> {
  const [account = { ak: "", sk: "" }] = settings.accounts;
  const date = new Date().toISOString().replace(/[-:]|\.\d{3}/g, "");
  const headers = new Map([
    ["host", "sandbox"],
    ["x-sdk-date", date],
  ]);
  const url = `/v5/iot/${settings.projectId}/export-tasks/no-such-task/file`;
  const request = { method: "GET", url, headers, body: Buffer.alloc(0) };
  const signature = signatureOf(request, "host;x-sdk-date", account, undefined);
  headers.set(
    "authorization",
    `SDK-HMAC-SHA256 Access=${account.ak}, SignedHeaders=host;x-sdk-date, Signature=${signature}`,
  );
  return { ...request, gone: new AbortController().signal };
}

test("the window is 30/31 of the interval, to the millisecond", async () => {
  expect(await statusesOf([0, WINDOW_MS - 1, WINDOW_MS, 2 * WINDOW_MS - 1, 2 * WINDOW_MS])).toEqual([
    404, 403, 404, 403, 404,
  ]);
});

test("a refused attempt moves the window only by switch", async () => {
  const moments = [0, 20_000, WINDOW_MS];
  expect(await statusesOf(moments)).toEqual([404, 403, 404]);
  expect(await statusesOf(moments, { throttledAttemptsCount: true })).toEqual([404, 403, 403]);
});
