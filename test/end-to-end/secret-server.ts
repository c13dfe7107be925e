import { createServer, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import * as v from "valibot";
import type { TestContext } from "vitest";

/** What the stand-in answers: a value, or one of Secrets Manager's errors. */
export type SecretAnswer = { readonly value: string } | { readonly error: string; readonly status?: number };

const requestSchema = v.pipe(v.string(), v.parseJson(), v.object({ SecretId: v.string() }));

/** A stand-in for AWS Secrets Manager that knows GetSecretValue. It checks no signature. */
export class SecretServer {
  /** What to set `AWS_ENDPOINT_URL_SECRETS_MANAGER` to. */
  readonly endpoint: string;
  readonly secrets = new Map<string, SecretAnswer>();
  /** Secret ids, in the order they were read. */
  readonly reads: string[] = [];

  constructor(endpoint: string) {
    this.endpoint = endpoint;
  }

  answer(body: string, target: string | undefined): SecretAnswer {
    const { SecretId } = v.parse(requestSchema, body);
    this.reads.push(SecretId);
    return target === "secretsmanager.GetSecretValue"
      ? (this.secrets.get(SecretId) ?? { error: "ResourceNotFoundException" })
      : { error: "InvalidAction" };
  }
}

/** A stand-in of this test's own. */
export async function startSecretServer({
  onTestFinished,
}: Pick<TestContext, "onTestFinished">): Promise<SecretServer> {
  const server = createServer((incoming: IncomingMessage, outgoing) => {
    text(incoming)
      .then((body) => {
        const target = incoming.headers["x-amz-target"];
        const answer = secretServer.answer(body, typeof target === "string" ? target : undefined);
        const [status, document] =
          "value" in answer
            ? [200, { Name: "it", SecretString: answer.value }]
            : // Real ones quote the caller and the secret in the message.
              [
                answer.status ?? 400,
                { __type: answer.error, message: "User: arn:aws:iam::1:user/it is not" },
              ];
        outgoing.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
        outgoing.end(JSON.stringify(document));
      })
      .catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const secretServer = new SecretServer(`http://127.0.0.1:${port}`);
  return secretServer;
}
