import { errorAnswer } from "./errors.ts";
import { playBefore, playOn, throttleAnswer } from "./fault-play.ts";
import { type Fault, isFor } from "./faults.ts";
import type { Answer } from "./kit/answer.ts";
import { decideFault } from "./kit/faults.ts";
import {
  createExportTask,
  deleteExportTask,
  listExportTasks,
  type PlatformParts,
  showExportTask,
} from "./operations.ts";
import { type Route, routeOf } from "./routes.ts";
import { downloadWindowMs } from "./settings.ts";
import { refuseSignature, type SignedRequest } from "./signature.ts";
import type { SandboxEvent } from "./state.ts";

/** A request of the platform's API. */
export interface PlatformRequest extends Omit<SignedRequest, "body"> {
  readonly body: Buffer;
  /** When its head arrived, epoch milliseconds. */
  readonly atMs: number;
  /** Aborts when the client leaves or the sandbox stops. */
  readonly gone: AbortSignal;
}

/** An answer and what led to it, for the request log. */
export interface Decision {
  /** `undefined`: the client left while it waited. */
  readonly answer: Answer | undefined;
  readonly throttled?: true;
  readonly fault?: Fault["kind"];
}

/**
 * The order in which the platform looks at a request: the gateway knows the path, the signature holds, the
 * project and instance are the account's, the pace is kept; then a scripted fault, then the operation.
 */
export async function answerRequest(parts: PlatformParts, request: PlatformRequest): Promise<Decision> {
  const route = routeOf(request.method, pathOf(request.url));
  if (route === undefined) {
    return { answer: errorAnswer(404, "APIGW.0101", "The API does not exist or has not been published.") };
  }
  const refusal = refuseSignature(request, parts.state.settings, parts.model.platformMs());
  if (refusal !== undefined) {
    return { answer: errorAnswer(refusal.status, refusal.code, refusal.message) };
  }
  if (!inScope(parts, request, route)) {
    return { answer: errorAnswer(403, "IOTDA.000021", "The user does not exist or has no such instance.") };
  }
  if (route.operation === "showExportTask" && isTooSoon(parts, request.atMs)) {
    if (parts.state.settings.throttledAttemptsCount) {
      parts.state.commit({ type: "download-counted", atMs: request.atMs });
    }
    return { answer: throttleAnswer(parts.state.settings), throttled: true };
  }
  const fault = admit(parts, request, route);
  if (fault === undefined) {
    return { answer: await perform(parts, request, route) };
  }
  const instead = await playBefore(fault, parts.state.settings, request.gone);
  if (request.gone.aborted) {
    return { answer: undefined, fault: fault.kind };
  }
  const answer = instead ?? playOn(await perform(parts, request, route), fault, request.gone);
  return { answer, fault: fault.kind };
}

/** From here on a download counts, whatever comes of it. */
function admit(parts: PlatformParts, request: PlatformRequest, route: Route): Fault | undefined {
  const { state } = parts;
  const { met, fault } = decideFault(state.faults, (rule) => isFor(rule, route));
  const throttledByScript = fault?.kind === "throttle" && !state.settings.throttledAttemptsCount;
  const counts = route.operation === "showExportTask" && !throttledByScript;
  const counted: SandboxEvent[] = counts ? [{ type: "download-counted", atMs: request.atMs }] : [];
  state.commit(...counted, ...met.map((index): SandboxEvent => ({ type: "fault-met", index })));
  return fault;
}

async function perform(parts: PlatformParts, request: PlatformRequest, route: Route): Promise<Answer> {
  const exportTaskId = route.exportTaskId ?? "";
  switch (route.operation) {
    case "listExportTasks":
      return listExportTasks(parts, new URL(request.url, "http://sandbox").searchParams);
    case "showExportTask":
      return await showExportTask(parts, exportTaskId);
    case "deleteExportTask":
      return await deleteExportTask(parts, exportTaskId);
    case "createExportTask":
      return await createExportTask(parts, request.body);
  }
}

function inScope(parts: PlatformParts, request: PlatformRequest, route: Route): boolean {
  const { projectId, instanceId } = parts.state.settings;
  return (
    route.projectId === projectId &&
    (instanceId === undefined || request.headers.get("instance-id") === instanceId)
  );
}

/** One download per interval, less 1/31 for what happens on the way (iotda-api §1.6). */
function isTooSoon(parts: PlatformParts, atMs: number): boolean {
  const { lastDownloadMs, settings } = parts.state;
  return lastDownloadMs !== undefined && atMs - lastDownloadMs < downloadWindowMs(settings);
}

/** The path without the query, as sent. */
export function pathOf(url: string): string {
  return url.split("?", 1)[0] ?? "";
}
