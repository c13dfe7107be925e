import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import * as v from "valibot";
import { type Answer, errorAnswer } from "./answer.ts";
import { nowMs } from "./clock.ts";
import { answerControl, type ControlParts } from "./control.ts";
import { CONTROL_PREFIX } from "./control-protocol.ts";
import { ResultFiles } from "./files.ts";
import { hasLeft } from "./has-left.ts";
import { listen } from "./listen.ts";
import { TaskModel } from "./model.ts";
import { answerRequest, type Decision, pathOf } from "./platform.ts";
import { type RequestEnd, RequestLog } from "./request-log.ts";
import { routeOf } from "./routes.ts";
import { type Sent, sendAnswer } from "./send.ts";
import { type SettingsPatch, settingsSchema } from "./settings.ts";
import { SandboxState } from "./state.ts";

const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** A platform that listens. */
export interface RunningServer {
  /** `http://127.0.0.1:{port}` */
  readonly endpoint: string;
  /** Cuts every connection and closes the files. */
  stop(): Promise<void>;
}

/**
 * Opens or goes on with the platform whose state lies in a folder, on a loopback port.
 *
 * @param settings applied on top of those the state has, or of the defaults.
 * @param port 0 lets the system choose.
 */
export async function startServer(
  stateFolder: string,
  settings: SettingsPatch,
  port: number,
): Promise<RunningServer> {
  mkdirSync(stateFolder, { recursive: true });
  const state = new SandboxState(stateFolder, v.parse(settingsSchema, {}));
  if (Object.keys(settings).length > 0) {
    state.commit({ type: "settings-changed", patch: settings });
  }
  const files = new ResultFiles(stateFolder);
  await files.open(state);
  const log = new RequestLog(stateFolder);
  const parts: ControlParts = { state, files, log, model: new TaskModel(state, files) };
  const stopping = new AbortController();
  const open = new Set<Promise<void>>();

  // A connection that is closed while a client sends on it looks like a fault: here only clients close idle ones.
  const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
    const handled = handle(parts, request, response, stopping.signal).catch((thrown: unknown) => {
      if (!hasLeft(thrown)) {
        console.error("sandbox: a request could not be handled", thrown);
      }
      response.destroy();
    });
    open.add(handled);
    void handled.then(() => open.delete(handled));
  });
  await listen(server, port);
  const { port: actualPort } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${actualPort}`,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      stopping.abort();
      server.closeAllConnections();
      await closed;
      await Promise.all(open);
      log.close();
      state.close();
    },
  };
}

async function handle(
  parts: ControlParts,
  request: IncomingMessage,
  response: ServerResponse,
  stopping: AbortSignal,
): Promise<void> {
  const atMs = nowMs();
  const { method = "", url = "/" } = request;
  const left = new AbortController();
  response.once("close", () => left.abort());
  const gone = AbortSignal.any([left.signal, stopping]);
  response.setHeader("Date", new Date(parts.model.platformMs()).toUTCString());
  response.setHeader("X-Request-Id", randomUUID());

  if (pathOf(url).startsWith(`${CONTROL_PREFIX}/`)) {
    const body = await readBody(request);
    const answer =
      typeof body === "string" ? unreadable(body) : await answerControl(parts, method, url, body);
    await (answer && sendAnswer(response, answer, gone));
    return;
  }
  const route = routeOf(method, pathOf(url));
  const n = parts.log.begin(atMs, route?.operation ?? "unknown", route?.exportTaskId);
  const body = await readBody(request);
  const decision: Decision =
    typeof body === "string"
      ? { answer: unreadable(body) }
      : await answerRequest(parts, { method, url, headers: headersOf(request), body, atMs, gone });
  const record = (sent?: Sent): void => parts.log.end(n, endOf(decision, sent));
  if (decision.answer === undefined) {
    record();
  } else {
    await sendAnswer(response, decision.answer, gone, record);
  }
}

/** @param sent nothing when there was no answer to send: the client had left. */
function endOf({ answer, throttled, fault }: Decision, sent?: Sent): RequestEnd {
  return {
    ...(throttled === undefined ? {} : { throttled }),
    ...(fault === undefined ? {} : { fault }),
    ...(answer === undefined ? {} : { status: answer.status }),
    ...(answer?.code === undefined ? {} : { code: answer.code }),
    ...(answer?.exportTaskId === undefined ? {} : { exportTaskId: answer.exportTaskId }),
    ...(answer?.generation === undefined ? {} : { generation: answer.generation }),
    ...(sent?.startedAtMs === undefined ? {} : { startedAtMs: sent.startedAtMs }),
    ...(sent === undefined ? {} : { bytesSent: sent.bytesSent, sha256: sent.sha256 }),
    outcome: sent?.outcome ?? "aborted",
    endedAtMs: nowMs(),
  };
}

type UnreadableBody = "too-large" | "cut";

async function readBody(request: IncomingMessage): Promise<Buffer | UnreadableBody> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) {
        return "too-large";
      }
      chunks.push(chunk);
    }
  } catch (thrown) {
    if (request.destroyed && !request.complete) {
      return "cut";
    }
    throw thrown;
  }
  return Buffer.concat(chunks);
}

/** @returns no answer to a client that left in the middle of its request. */
function unreadable(body: UnreadableBody): Answer | undefined {
  return body === "cut"
    ? undefined
    : { ...errorAnswer(413, "APIGW.0201", "The request body is too large."), ending: "closed" };
}

function headersOf(request: IncomingMessage): Map<string, string> {
  const headers = new Map<string, string>();
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    headers.set(name, (values ?? []).join(", "));
  }
  return headers;
}
