import { readConfiguration } from "../config/configuration.ts";
import { describeFailure, type Failure } from "../domain/errors.ts";
import { MAX_JSON_DEPTH, nestsDeeperThan } from "../domain/json.ts";
import type { LeftAlone } from "../domain/left-alone.ts";
import {
  type BatchRecord,
  type Envelope,
  type HttpEvent,
  readDirectEvent,
  readEnvelope,
  unwrapText,
} from "../events/envelopes.ts";
import { STATUS_OF_REFUSAL } from "../events/http-gate.ts";
import { type Taken, takeEvent } from "../events/outside-event.ts";
import { letterText, type Refusal, refused } from "../events/refusal.ts";
import { EventDoor } from "../hosted/event-door.ts";
import { type EventsFunctionConfiguration, WiredTargets } from "../hosted/event-targets.ts";
import type { FunctionWork, Invocation } from "../hosted/function-host.ts";
import type { Ended } from "../hosted/middlewares.ts";

/** What an HTTP caller is answered. */
interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A small JSON document with `accepted`, and `reason` where it is not a plain yes. */
  readonly body: string;
}

/** What SQS is told: the messages that have to come again. */
interface SqsAnswer {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/** What a caller of the function itself is told. */
interface EventsReport {
  readonly taken: readonly Taken[];
  readonly refused: readonly { readonly reason: string }[];
  /** The event has to come again. */
  readonly failure?: Failure;
}

export type EventsAnswer = HttpAnswer | SqsAnswer | EventsReport;

interface Work extends Invocation {
  readonly configuration: EventsFunctionConfiguration;
  readonly targets: WiredTargets;
}

const UNKNOWN_RECORDS = refused("unknown-event", "The event has records, but of no host that is known here.");

const NEED = new Set(["events", "store", "queue"] as const);

/** Kept from call to call: the secret of HTTP events. */
const door = new EventDoor();

/**
 * Takes events from outside: `batchtask:update` pushes over HTTP, from SQS, SNS, SMN, EventBridge or data forwarding, and
 * requests with an `exportTaskId`. Answers HTTP with a status, SQS with the messages that have to come again. Any other
 * report has a `failure` when the event has to come again: its host is to be told that the call failed.
 */
export const exportEventsFunction: FunctionWork<EventsAnswer> = {
  work: workOn,
  failed: (failure) => ({ taken: [], refused: [], failure }),
};

async function workOn(invocation: Invocation): Promise<Ended<EventsAnswer>> {
  door.teach(invocation.redactor);
  const envelope = readEnvelope(invocation.event);
  if (envelope.kind === "odd-http") {
    return refuseHttp(
      refused("malformed", "The request is not an HTTP request of a known host."),
      invocation,
    );
  }
  let targets: WiredTargets | undefined;
  try {
    const configuration = readConfiguration(invocation.environment, NEED, invocation);
    targets = new WiredTargets(configuration, invocation.signal, invocation.redactor);
    return await answer(envelope, { ...invocation, configuration, targets });
  } catch (error) {
    if (envelope.kind !== "http") {
      throw error;
    }
    return { ...failedHttp(describeFailure(error)), metrics: {} };
  } finally {
    await targets?.close();
  }
}

async function answer(
  envelope: Exclude<Envelope, { kind: "odd-http" }>,
  work: Work,
): Promise<Ended<EventsAnswer>> {
  switch (envelope.kind) {
    case "http":
      return await answerHttp(envelope.request, work);
    case "sqs":
      return await answerSqs(envelope.records, work);
    case "notifications":
      return await answerAll(itemsOf(envelope.records, work), work);
    case "unknown": {
      const { problem } = UNKNOWN_RECORDS;
      work.log.warn("event-refused", { reason: UNKNOWN_RECORDS.reason, problem });
      // Its host may be one that forgets what it is not told to bring again.
      const hint = "Let only SQS, SNS and SMN hand records to this function.";
      const failure = { code: "unknown-event", message: problem, hint };
      return { report: { taken: [], refused: [{ reason: "unknown-event" }], failure }, failure, metrics: {} };
    }
    case "direct":
      return await answerAll([{ take: () => takeDirect(envelope.event, work) }], work);
  }
}

async function answerHttp(request: HttpEvent, work: Work): Promise<Ended<HttpAnswer>> {
  const { configuration, redactor } = work;
  const admitted = await door.admit(request, configuration, redactor);
  const unwrapped = admitted.kind === "body" ? unwrapText(admitted.text) : admitted;
  const taken =
    unwrapped.kind === "json"
      ? await takeEvent(unwrapped.json, configuration.events.exportOn, work.targets)
      : unwrapped;
  if (taken.kind === "refused") {
    return refuseHttp(taken, work);
  }
  noteTaken(taken, work);
  return { report: httpAnswer(200, { accepted: taken.kind !== "ignored", ...taken }), metrics: {} };
}

function refuseHttp({ reason, problem }: Refusal, { log }: Pick<Work, "log">): Ended<HttpAnswer> {
  log.warn("event-refused", { reason, problem });
  return {
    report: httpAnswer(STATUS_OF_REFUSAL[reason], { accepted: false, reason, problem }),
    metrics: {},
  };
}

function failedHttp(failure: Failure): { readonly report: HttpAnswer; readonly failure: Failure } {
  // Neither message nor hint: whoever posts need not know how this deployment is made.
  return { report: httpAnswer(503, { accepted: false, reason: failure.code }), failure };
}

function httpAnswer(statusCode: number, body: object): HttpAnswer {
  return { statusCode, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

/** Each message on its own: one that cannot be taken now, or read, comes again without the others. */
async function answerSqs(records: readonly BatchRecord[], work: Work): Promise<Ended<SqsAnswer>> {
  const malformed = records.filter((record) => record.kind === "malformed");
  const { failed, failure } = await takeAll(itemsOf(records, work), work);
  const batchItemFailures = [...malformed, ...failed].flatMap(({ messageId }) =>
    messageId === undefined ? [] : [{ itemIdentifier: messageId }],
  );
  return { report: { batchItemFailures }, failure, metrics: { LeftAlone: malformed.length } };
}

async function answerAll(items: readonly Item[], work: Work): Promise<Ended<EventsReport>> {
  const { taken, refused, failure } = await takeAll(items, work);
  const report = { taken, refused, ...(failure === undefined ? {} : { failure }) };
  return { report, failure, metrics: {} };
}

/** One event of a call. */
interface Item {
  readonly messageId?: string | undefined;
  readonly take: () => Promise<Taken | Refusal>;
}

/** The records that can be read; the others are named in the log. */
function itemsOf(records: readonly BatchRecord[], work: Work): readonly Item[] {
  return records.flatMap((record, index) => {
    if (record.kind === "text") {
      const { text, messageId } = record;
      return [{ messageId, take: () => takeQueued(unwrapText(text), text, work) }];
    }
    const item: LeftAlone = { kind: "message", index, problem: record.problem };
    work.log.warn("left-alone", { item });
    return [];
  });
}

/** All of them, before the first failure is told: who comes again may come twice. */
async function takeAll(items: readonly Item[], { log }: Work) {
  const taken: Taken[] = [];
  const refused: { reason: string }[] = [];
  const failed: Item[] = [];
  let failure: Failure | undefined;
  for (const item of items) {
    try {
      const one = await item.take();
      one.kind === "refused" ? refused.push({ reason: one.reason }) : taken.push(one);
    } catch (error) {
      failure ??= describeFailure(error);
      failed.push(item);
      log.debug("failed", { error });
    }
  }
  return { taken, refused, failed, failure };
}

async function takeDirect(event: unknown, work: Work): Promise<Taken | Refusal> {
  const unwrapped = readDirectEvent(event);
  // What was refused for its depth cannot be written down.
  const body = nestsDeeperThan(event, MAX_JSON_DEPTH) ? "" : (JSON.stringify(event) ?? "");
  return await takeQueued(unwrapped, body, work);
}

/** No caller waits for an answer: what is refused becomes a dead letter. */
async function takeQueued(
  unwrapped: ReturnType<typeof unwrapText>,
  body: string,
  work: Work,
): Promise<Taken | Refusal> {
  const { configuration, targets, log } = work;
  const taken =
    unwrapped.kind === "json"
      ? await takeEvent(unwrapped.json, configuration.events.exportOn, targets)
      : unwrapped;
  if (taken.kind === "refused") {
    await targets.deadLetter(letterText(body), taken.problem);
    log.warn("event-refused", { reason: taken.reason, problem: taken.problem });
  } else {
    noteTaken(taken, work);
  }
  return taken;
}

function noteTaken(taken: Taken, { log }: Work): void {
  log.info("event-taken", { taken });
}
