import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import * as v from "valibot";
import { type ControlParts, controlOf } from "./control.ts";
import { errorAnswer } from "./errors.ts";
import { ResultFiles } from "./files.ts";
import { nowMs, RequestLog } from "./kit/request-log.ts";
import { type Sent, sendAnswer } from "./kit/send.ts";
import { headersOf, type Incoming, type RunningServer, readBody, startServer } from "./kit/server.ts";
import { TaskModel } from "./model.ts";
import { answerRequest, type Decision, pathOf } from "./platform.ts";
import { routeOf } from "./routes.ts";
import { type SettingsPatch, settingsSchema } from "./settings.ts";
import { SandboxState } from "./state.ts";

/**
 * Opens or goes on with the platform whose state lies in a folder, on a loopback port.
 *
 * @param settings applied on top of those the state has, or of the defaults.
 * @param port 0 lets the system choose.
 */
export async function startPlatform(
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
  const log: ControlParts["log"] = new RequestLog(stateFolder);
  const parts: ControlParts = { state, files, log, model: new TaskModel(state, files) };
  const standIn = {
    name: "sandbox",
    headers: () => ({
      Date: new Date(parts.model.platformMs()).toUTCString(),
      "X-Request-Id": randomUUID(),
    }),
    control: controlOf(parts),
    serve: (incoming: Incoming) => serve(parts, incoming),
    close: () => {
      log.close();
      state.close();
    },
  };
  return await startServer(standIn, port);
}

async function serve(parts: ControlParts, incoming: Incoming): Promise<void> {
  const { request, response, method, url, atMs, gone } = incoming;
  const route = routeOf(method, pathOf(url));
  const exportTaskId = route?.exportTaskId;
  const n = parts.log.begin(atMs, { operation: route?.operation ?? "unknown", exportTaskId });
  const body = await readBody(incoming);
  const decision: Decision =
    body === "cut"
      ? { answer: undefined }
      : body === "too-large"
        ? {
            answer: { ...errorAnswer(413, "APIGW.0201", "The request body is too large."), ending: "closed" },
          }
        : await answerRequest(parts, { method, url, headers: headersOf(request, ", "), body, atMs, gone });
  const { answer, throttled, fault } = decision;
  const record = (sent?: Sent): void =>
    parts.log.update(n, {
      throttled,
      fault,
      status: answer?.status,
      code: answer?.code,
      exportTaskId: answer?.exportTaskId ?? exportTaskId,
      generation: answer?.generation,
      outcome: "aborted",
      ...sent,
      endedAtMs: nowMs(),
    });
  if (answer === undefined) {
    record();
  } else {
    await sendAnswer(response, answer, gone, record);
  }
}
