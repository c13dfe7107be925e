import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import * as v from "valibot";
import type { TestContext } from "vitest";
import { FunctionHost } from "./function-host.ts";

const answerSchema = v.object({
  statusCode: v.number(),
  headers: v.record(v.string(), v.string()),
  body: v.string(),
});

/** A Lambda function URL of this machine: each request becomes an event of payload 2.0 for a built function. */
export async function openFunctionUrl(
  { onTestFinished }: Pick<TestContext, "onTestFinished">,
  name: string,
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const host = FunctionHost.start(environment);
  const server = createServer((request, response) => {
    void (async () => {
      const { returned } = await host.call(name, { event: await eventOf(request) });
      const { statusCode, headers, body } = v.parse(answerSchema, returned);
      response.writeHead(statusCode, headers).end(body);
    })().catch((error: unknown) => response.writeHead(502).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await host.end();
  });
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}/`;
}

async function eventOf(request: IncomingMessage): Promise<unknown> {
  return {
    version: "2.0",
    rawPath: request.url,
    headers: request.headers,
    requestContext: { http: { method: request.method, path: request.url } },
    body: await text(request),
    isBase64Encoded: false,
  };
}
