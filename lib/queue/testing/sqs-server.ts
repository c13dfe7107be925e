import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { onTestFinished } from "vitest";

/** A request as it came over the wire. */
export interface SqsRequest {
  /** `SendMessageBatch`, `ReceiveMessage` … */
  readonly action: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly headers: IncomingMessage["headers"];
}

/** What is answered: an answer, no answer at all, or a connection cut once the request was read. */
export type SqsAnswer =
  | { readonly status: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> }
  | "hang"
  | "cut";

interface SqsServer {
  readonly url: URL;
  readonly requests: readonly SqsRequest[];
  /** Ever accepted, also those on which no whole request came. */
  connections(): number;
}

/** Limits that no healthy call meets on a busy machine. */
export const AMPLE_TIMEOUTS = { connectMs: 240_000, answerMs: 240_000, callMs: 240_000 };

/** SQS's wire protocol (AWS JSON 1.0) on the loopback, for the answers that fauxqs cannot give. */
export async function startSqsServer(
  answer: (request: SqsRequest, requestNumber: number) => SqsAnswer | Promise<SqsAnswer>,
): Promise<SqsServer> {
  const requests: SqsRequest[] = [];
  let connections = 0;
  const server = createServer((incoming, outgoing) => {
    // A client that gave the request up has its answer.
    handle(incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.on("connection", () => {
    connections += 1;
  });
  async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    let text = "";
    for await (const chunk of incoming.setEncoding("utf8")) {
      text += chunk;
    }
    const request: SqsRequest = {
      action: String(incoming.headers["x-amz-target"]).replace("AmazonSQS.", ""),
      input: JSON.parse(text) as Record<string, unknown>,
      headers: incoming.headers,
    };
    requests.push(request);
    const answered = await answer(request, requests.length);
    if (answered === "cut") {
      incoming.socket.destroy();
    } else if (answered !== "hang") {
      outgoing.writeHead(answered.status, {
        "content-type": "application/x-amz-json-1.0",
        ...answered.headers,
      });
      outgoing.end(answered.body);
    }
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("the server has no port");
  }
  return { url: new URL(`http://127.0.0.1:${address.port}`), requests, connections: () => connections };
}

/** A good answer. */
export function answerOf(output: unknown): SqsAnswer {
  return { status: 200, body: JSON.stringify(output), headers: { "x-amzn-requestid": "request-1" } };
}

/** A refusal, with the name that AWS's old protocol has for it where it differs. */
export function refusalOf(status: number, type: string, text = "why", queryName?: string): SqsAnswer {
  return {
    status,
    body: JSON.stringify({ __type: type, message: text }),
    headers: {
      "x-amzn-requestid": "request-1",
      ...(queryName === undefined ? {} : { "x-amzn-query-error": `${queryName};Sender` }),
    },
  };
}

export function md5(text: string): string {
  return createHash("md5").update(text, "utf8").digest("hex");
}

/** The entries of a SendMessageBatch request. */
export function entriesOf(
  request: SqsRequest | undefined,
): readonly { readonly Id: string; readonly MessageBody: string; readonly DelaySeconds: number }[] {
  return (request?.input.Entries ?? []) as { Id: string; MessageBody: string; DelaySeconds: number }[];
}

/** The answer to a SendMessageBatch in which the entries with these bodies fail. */
export function batchAnswer(
  request: SqsRequest,
  failing: (body: string) => { readonly Code: string; readonly SenderFault: boolean } | undefined = () =>
    undefined,
): SqsAnswer {
  const entries = entriesOf(request);
  return answerOf({
    Successful: entries
      .filter(({ MessageBody }) => failing(MessageBody) === undefined)
      .map(({ Id, MessageBody }) => ({ Id, MessageId: `m-${Id}`, MD5OfMessageBody: md5(MessageBody) })),
    Failed: entries.flatMap(({ Id, MessageBody }) => {
      const failure = failing(MessageBody);
      return failure === undefined ? [] : [{ Id, Message: "why", ...failure }];
    }),
  });
}
