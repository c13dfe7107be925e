import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type FauxqsServer, startFauxqs } from "fauxqs";

const TASKS = "export-tasks";
const LETTERS = "export-dead-letters";

/** A dead letter as it lies in its queue. */
export interface CloudLetter {
  readonly body: string;
  /** Message attributes by name, their text values only. */
  readonly attributes: Readonly<Record<string, string | undefined>>;
}

/**
 * Two SQS queues on fauxqs, looked at and filled past the program. Programs reach them through a front that
 * shortens long polls: a run ends with one that finds nothing, which is 20 s for SQS and too long for a test.
 */
export class CloudQueue {
  /** What to set `AWS_ENDPOINT_URL_SQS` to. */
  readonly endpoint: string;
  readonly #fauxqs: FauxqsServer;
  readonly #closeFront: () => Promise<void>;

  private constructor(endpoint: string, fauxqs: FauxqsServer, closeFront: () => Promise<void>) {
    this.endpoint = endpoint;
    this.#fauxqs = fauxqs;
    this.#closeFront = closeFront;
  }

  static async start(longestPollSeconds: number): Promise<CloudQueue> {
    const fauxqs = await startFauxqs({ port: 0, logger: false });
    fauxqs.createQueue(TASKS);
    fauxqs.createQueue(LETTERS);
    const server = createServer({ keepAliveTimeout: 600_000 }, (incoming, outgoing) => {
      forward(incoming, outgoing, fauxqs.address, longestPollSeconds).catch(() => outgoing.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    return new CloudQueue(`http://127.0.0.1:${port}`, fauxqs, async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    });
  }

  get tasksUrl(): string {
    return `${this.endpoint}/000000000000/${TASKS}`;
  }

  get lettersUrl(): string {
    return `${this.endpoint}/000000000000/${LETTERS}`;
  }

  send(...bodies: readonly string[]): void {
    for (const body of bodies) {
      this.#fauxqs.sendMessage(TASKS, body);
    }
  }

  /** The body of every message that is not acknowledged: ready, delayed and in flight. */
  messages(): readonly string[] {
    const { ready = [], delayed = [], inflight = [] } = this.#fauxqs.inspectQueue(TASKS)?.messages ?? {};
    return [...ready, ...delayed, ...inflight.map(({ message }) => message)].map(({ body }) => body);
  }

  /** The bodies of those whose delay is not over. fauxqs itself looks at the time only when somebody receives. */
  delayedUnseen(): readonly string[] {
    const { delayed = [] } = this.#fauxqs.inspectQueue(TASKS)?.messages ?? {};
    return delayed.filter(({ delayUntil = 0 }) => delayUntil > Date.now()).map(({ body }) => body);
  }

  letters(): readonly CloudLetter[] {
    const ready = this.#fauxqs.inspectQueue(LETTERS)?.messages.ready ?? [];
    return ready.map(({ body, messageAttributes }) => ({
      body,
      attributes: Object.fromEntries(
        Object.entries(messageAttributes).map(([name, { StringValue }]) => [name, StringValue]),
      ),
    }));
  }

  async stop(): Promise<void> {
    await this.#closeFront();
    await this.#fauxqs.stop();
  }
}

async function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  target: string,
  longestPollSeconds: number,
): Promise<void> {
  const left = new AbortController();
  outgoing.on("close", () => left.abort());
  let text = "";
  for await (const chunk of incoming.setEncoding("utf8")) {
    text += chunk;
  }
  const { host: _, connection: __, "content-length": ___, ...headers } = incoming.headers;
  const answer = await fetch(new URL(incoming.url ?? "/", target), {
    method: incoming.method ?? "POST",
    headers: headers as Record<string, string>,
    body: withShorterPoll(text, longestPollSeconds),
    signal: left.signal,
  });
  const body = Buffer.from(await answer.arrayBuffer());
  const requestId = answer.headers.get("x-amzn-requestid");
  outgoing.writeHead(answer.status, {
    "content-type": answer.headers.get("content-type") ?? "application/x-amz-json-1.0",
    "content-length": body.length,
    ...(requestId === null ? {} : { "x-amzn-requestid": requestId }),
  });
  outgoing.end(body);
}

function withShorterPoll(text: string, longestPollSeconds: number): string {
  const input = JSON.parse(text) as Record<string, unknown>;
  return typeof input.WaitTimeSeconds === "number"
    ? JSON.stringify({ ...input, WaitTimeSeconds: Math.min(input.WaitTimeSeconds, longestPollSeconds) })
    : text;
}
