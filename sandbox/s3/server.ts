import { randomUUID } from "node:crypto";
import { nowMs } from "../kit/request-log.ts";
import { sendAnswer } from "../kit/send.ts";
import { headersOf, type Incoming, type RunningServer, startServer } from "../kit/server.ts";
import { controlOf } from "./control.ts";
import { answerRequest } from "./dispatch.ts";
import type { S3Store } from "./store.ts";
import { WireBody } from "./wire.ts";

/** @param port loopback port; 0 lets the system choose. */
export async function startStore(store: S3Store, port: number): Promise<RunningServer> {
  const standIn = {
    name: "S3 stand-in",
    headers: () => ({
      Date: new Date(store.nowMs()).toUTCString(),
      Server: "S3 stand-in",
      "x-amz-request-id": randomUUID(),
    }),
    control: controlOf(store),
    serve: (incoming: Incoming) => serve(store, incoming),
    close: () => store.log.close(),
  };
  return await startServer(standIn, port);
}

async function serve(store: S3Store, incoming: Incoming): Promise<void> {
  const { request, response, method, url, atMs, gone } = incoming;
  const wire = new WireBody(incoming, store.settings.logBodyHashes);
  const head = { method, url, headers: headersOf(request, ",") };
  const { n, answer } = await answerRequest({ store, head, wire, atMs, gone });
  if (answer.ending !== "lost") {
    await drained(wire, gone);
  }
  await sendAnswer(response, answer, gone, ({ outcome, bytesSent }) =>
    store.log.update(n, { ...wire.read, outcome, bytesSent, endedAtMs: nowMs() }),
  );
}

async function drained(wire: WireBody, gone: AbortSignal): Promise<void> {
  try {
    await wire.drain();
  } catch (thrown) {
    // A client that leaves in the middle of its body gets no answer; sendAnswer records that.
    if (!gone.aborted) {
      throw thrown;
    }
  }
}
