import type { PlatformScope } from "../domain/export-task.ts";
import type { RequestSubject } from "../domain/request-layout.ts";
import { isOfOneRequest } from "./errors.ts";
import type { RequestsRun } from "./requests-run.ts";
import type { RequestDocument } from "./schemas.ts";
import { MAX_REQUESTS_READ } from "./settings.ts";

/** An open request, and what its file says. */
export interface OwnRequest {
  readonly subject: RequestSubject;
  /** `unread`: so many stand before it that nobody looked whose it is. */
  readonly request: RequestDocument | "unreadable" | "unread";
}

/**
 * The open requests of this deployment, those of the oldest status first, read one by one as they are asked for.
 * Those of another deployment in the same store are passed over, so that they keep none of ours from its turn:
 * whose a request is stands in its file alone.
 *
 * @throws what the store throws, or the signal's reason.
 */
export async function* ownRequests(
  run: RequestsRun,
  open: readonly RequestSubject[],
): AsyncGenerator<OwnRequest, void, undefined> {
  for (const [index, subject] of open.entries()) {
    const request = index < MAX_REQUESTS_READ ? await readRequest(run, subject) : "unread";
    if (typeof request === "string" || isOfScope(request, run.settings.scope)) {
      yield { subject, request };
    }
  }
}

async function readRequest(
  run: RequestsRun,
  subject: RequestSubject,
): Promise<RequestDocument | "unreadable"> {
  try {
    return (await run.ledger.read(subject, run)) ?? "unreadable";
  } catch (error) {
    run.signal.throwIfAborted();
    if (isOfOneRequest(error)) {
      return "unreadable";
    }
    throw error;
  }
}

/** Another deployment may keep its requests in the same store. */
function isOfScope({ projectId, instanceId }: RequestDocument, scope: PlatformScope): boolean {
  return projectId === scope.projectId && instanceId === (scope.instanceId ?? null);
}
