import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { AKSKSigner } from "@huaweicloud/huaweicloud-sdk-core/auth/AKSKSigner.js";
import { BasicCredentials } from "@huaweicloud/huaweicloud-sdk-core/auth/BasicCredentials.js";
import { DerivedAKSKSigner } from "@huaweicloud/huaweicloud-sdk-core/auth/DerivedAKSKSigner.js";
import * as v from "valibot";
import { onTestFinished } from "vitest";
import { type Account, type SettingsInput, settingsSchema } from "../settings.ts";
import { type Sandbox, startSandbox } from "../start.ts";

const DEFAULTS = v.parse(settingsSchema, {});
export const PROJECT = DEFAULTS.projectId;

/** A request as a test describes it; signed by the official SDK's signers, which know nothing of the sandbox. */
export interface Call {
  readonly method?: "GET" | "POST" | "DELETE" | "PUT";
  /** Below `/v5/iot/{project}/export-tasks`, or a whole path when it begins with `/v5` or `/other`. */
  readonly path?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signing?: "standard" | "derived" | "none";
  readonly account?: Account;
  readonly region?: string;
  /** The client's clock. */
  readonly dateMs?: number;
  readonly signal?: AbortSignal;
  /** Told when the head of the answer has come. */
  readonly onAnswer?: () => void;
  /** Sent instead of what was signed. */
  readonly tamper?: (headers: Record<string, string>) => Record<string, string>;
}

/** An answer as it came over the wire, whole or not. */
export interface WireAnswer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Code of the error that ended it early. */
  readonly cut: string | undefined;
}

/** Sends one signed request on a connection of its own. Resolves also when the answer is cut. */
export async function call(endpoint: string, asked: Call = {}): Promise<WireAnswer> {
  const { method = "GET", path = "", query = {}, json } = asked;
  const fullPath = /^\/(v5|other)/.test(path) ? path : `/v5/iot/${PROJECT}/export-tasks${path}`;
  const body = json === undefined ? "" : JSON.stringify(json);
  const signed = signedHeaders(endpoint, fullPath, asked);
  const headers = asked.tamper === undefined ? signed : asked.tamper(signed);
  const search = new URLSearchParams(query).toString();
  const { promise, resolve } = Promise.withResolvers<WireAnswer>();
  const chunks: Buffer[] = [];
  let status: number | undefined;
  let answerHeaders: IncomingHttpHeaders = {};
  const done = (cut?: string): void =>
    resolve({ status, headers: answerHeaders, body: Buffer.concat(chunks), cut });
  const failed = (error: NodeJS.ErrnoException): void => done(error.code ?? error.name);

  const request = httpRequest(`${endpoint}${fullPath}${search === "" ? "" : `?${search}`}`, {
    method,
    headers,
    agent: false,
    ...(asked.signal === undefined ? {} : { signal: asked.signal }),
  });
  request.once("error", failed);
  request.once("response", (response) => {
    status = response.statusCode;
    answerHeaders = response.headers;
    asked.onAnswer?.();
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.once("error", failed);
    response.once("end", () => done());
  });
  request.end(body);
  return await promise;
}

function signedHeaders(endpoint: string, path: string, asked: Call): Record<string, string> {
  const { account = DEFAULTS.accounts[0], dateMs = Date.now(), json, signing = "standard" } = asked;
  const date = new Date(dateMs).toISOString().replace(/[-:]|\.\d{3}/g, "");
  const token = account?.securityToken;
  const headers = {
    "content-type": "application/json",
    "X-Sdk-Date": date,
    ...(token === undefined ? {} : { "x-security-token": token }),
    ...asked.headers,
  };
  if (signing === "none") {
    return headers;
  }
  const credentials = new BasicCredentials().withAk(account?.ak).withSk(account?.sk);
  credentials.processDerivedAuthParams("iotdm", asked.region ?? DEFAULTS.region);
  const request = {
    method: asked.method ?? "GET",
    endpoint: `${endpoint}${path}`,
    headers,
    queryParams: { ...asked.query },
    data: json,
  };
  const signer = signing === "derived" ? DerivedAKSKSigner : AKSKSigner;
  return { ...headers, ...(signer.sign(request, credentials) as Record<string, string>) };
}

export async function list(
  endpoint: string,
  query: Record<string, string> = {},
  more: Call = {},
): Promise<WireAnswer> {
  return await call(endpoint, { ...more, query: { resource_type: "BatchTask", ...query } });
}

export async function download(endpoint: string, exportTaskId: string, more: Call = {}): Promise<WireAnswer> {
  return await call(endpoint, { ...more, path: `/${exportTaskId}/file` });
}

export async function create(endpoint: string, taskId: string): Promise<WireAnswer> {
  const json = { resource_type: "BatchTask", resource_condition: { task_id: taskId }, export_format: "xls" };
  return await call(endpoint, { method: "POST", json });
}

/** The parsed body. */
export function jsonOf(answer: WireAnswer): Record<string, unknown> {
  return JSON.parse(answer.body.toString("utf8")) as Record<string, unknown>;
}

/** The ids on a list page, in its order. */
export function idsOf(answer: WireAnswer): string[] {
  const { export_tasks } = jsonOf(answer) as { export_tasks: { export_task_id: string }[] };
  return export_tasks.map((task) => task.export_task_id);
}

/** A sandbox in this process without a pace, stopped after the test. */
export async function sandboxWith(settings: SettingsInput = {}): Promise<Sandbox> {
  const sandbox = await startSandbox({ settings: { downloadIntervalMs: 0, ...settings } });
  onTestFinished(async () => await sandbox.stop());
  return sandbox;
}
