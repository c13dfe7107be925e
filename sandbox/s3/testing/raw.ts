import { createHash } from "node:crypto";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import type { RequestHead } from "../../kit/signing.ts";
import { signatureOf, signingKeyOf } from "../signature.ts";
import type { S3StandIn } from "../start.ts";

/** A request by hand, for what no SDK can be made to send. */
export interface RawRequest {
  readonly method: string;
  /** Path and query, already encoded. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  /** Added after the signature was made. */
  readonly unsignedHeaders?: Readonly<Record<string, string>>;
  readonly secretAccessKey?: string;
  readonly accessKeyId?: string;
  readonly atMs?: number;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The `<Code>` of an error. */
  readonly code: string | undefined;
}

/** The head of the request, signed by the stand-in's own functions, which `signature.test.ts` holds to AWS's vectors. */
export function signedHead(
  standIn: S3StandIn,
  raw: RawRequest,
): RequestHead & { readonly signature: string } {
  const { accessKeyId, secretAccessKey, sessionToken } = standIn.account;
  const amzDate = new Date(raw.atMs ?? Date.now()).toISOString().replace(/[-:]|\.\d{3}/g, "");
  const headers = new Map(
    Object.entries({
      host: new URL(standIn.endpoint).host,
      "x-amz-date": amzDate,
      "x-amz-content-sha256": createHash("sha256")
        .update(raw.body ?? "")
        .digest("hex"),
      ...(sessionToken === undefined ? {} : { "x-amz-security-token": sessionToken }),
      ...raw.headers,
    }),
  );
  const scope = `${amzDate.slice(0, 8)}/${standIn.region}/s3/aws4_request`;
  const names = [...headers.keys()].sort().join(";");
  const head = { method: raw.method, url: raw.url, headers };
  const key = signingKeyOf(raw.secretAccessKey ?? secretAccessKey, scope);
  const signature = signatureOf(head, names, amzDate, scope, key);
  const credential = `${raw.accessKeyId ?? accessKeyId}/${scope}`;
  headers.set(
    "authorization",
    `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`,
  );
  return { ...head, signature };
}

/** Sends it over a connection of its own. */
export async function sendRaw(standIn: S3StandIn, raw: RawRequest): Promise<RawAnswer> {
  const head = signedHead(standIn, raw);
  const headers = { ...Object.fromEntries(head.headers), ...raw.unsignedHeaders };
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>();
  const { port } = new URL(standIn.endpoint);
  const request = httpRequest({
    host: "127.0.0.1",
    port,
    path: raw.url,
    method: raw.method,
    headers,
    agent: false,
  });
  request.on("error", reject);
  request.on("response", (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("error", reject);
    response.on("end", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      const code = /<Code>([^<]*)<\/Code>/.exec(text)?.[1];
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text, code });
    });
  });
  request.end(raw.body);
  return await promise;
}
