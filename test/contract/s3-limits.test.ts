import { createServer, type ServerResponse } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import type { S3Store } from "../../lib/store/s3/s3-store.ts";
import { impatientClock, storeOn } from "./s3-servers.ts";
import { keysBelow } from "./store-helpers.ts";

const { signal } = new AbortController();
const MIB = 1024 * 1024;
const DATE = "2026-11-24T00:00:00.000Z";

/** A store whose server answers each request, numbered from 1, with what the test writes. */
async function storeAnswering(
  profile: "aws" | "generic" | "obs",
  answer: (requestNumber: number, response: ServerResponse, query: URLSearchParams) => void,
): Promise<{ store: S3Store; requests: () => number }> {
  let requests = 0;
  const server = createServer((incoming, outgoing) => {
    requests += 1;
    incoming.resume();
    answer(requests, outgoing, new URL(incoming.url ?? "", "http://s3").searchParams);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const account = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "a-secret-key" };
  const at = { endpoint: `http://127.0.0.1:${port}`, region: "eu-west-1", bucket: "b", account };
  const store = storeOn(at, { profile, prefix: "" }, impatientClock);
  onTestFinished(() => {
    store.close();
    server.closeAllConnections();
    server.close();
  });
  return { store, requests: () => requests };
}

const objectXml = (key: string) =>
  `<Contents><Key>${key}</Key><LastModified>${DATE}</LastModified><ETag>"e"</ETag><Size>1</Size></Contents>`;

/** A page of either version that leads to another one. */
function page(keys: readonly string[], next: string | undefined): string {
  const leads =
    next === undefined
      ? ""
      : `<NextContinuationToken>${next}</NextContinuationToken><NextMarker>${next}</NextMarker>`;
  return `<ListBucketResult><IsTruncated>${next !== undefined}</IsTruncated>${leads}${keys.map(objectXml).join("")}</ListBucketResult>`;
}

const numbered = (n: number) => `k/${String(n).padStart(6, "0")}`;

/** Writes for as long as somebody reads. */
function writeForEver(response: ServerResponse, chunk: string): void {
  const write = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on("drain", write);
  response.on("error", () => undefined);
  write();
}

describe.each(["aws", "obs", "generic"] as const)("profile %s", (profile) => {
  test.each<[string, (n: number) => readonly string[]]>([
    ["no keys", () => []],
    ["keys of others", (n) => [`other/${n}`]],
  ])("a list of ever new pages with %s ends", async (_what, keysOf) => {
    const { store, requests } = await storeAnswering(profile, (n, response) => {
      response.end(page(profile === "obs" ? [] : keysOf(n), numbered(n)));
    });
    await expect(keysBelow(store, "records/")).rejects.toMatchObject({
      code: "store-foreign-answer",
      scope: "system",
      hint: expect.stringContaining("proxy"),
    });
    expect(requests()).toBe(100);
  });

  test("a list whose empty pages come to an end is whole", async () => {
    const { store } = await storeAnswering(profile, (n, response) => {
      const isLast = n === 99;
      response.end(page(n % 50 === 49 ? [numbered(n)] : [], isLast ? undefined : numbered(n)));
    });
    expect(await keysBelow(store, "k/")).toEqual([numbered(49), numbered(99)]);
  });

  test.each(["200", "403", "500"])(
    "a list whose answer %s never ends is not read to its end",
    async (status) => {
      const { store, requests } = await storeAnswering(profile, (_n, response) => {
        response.statusCode = Number(status);
        response.write("<ListBucketResult><IsTruncated>false</IsTruncated>");
        writeForEver(response, objectXml("records/x").repeat(1_000));
      });
      await expect(keysBelow(store, "records/")).rejects.toMatchObject({
        code: "store-foreign-answer",
        scope: "system",
        message: expect.stringContaining("over 8.00 MiB"),
      });
      expect(requests()).toBe(1);
    },
  );

  test("a list of the open uploads with ever new markers and no upload ends", async () => {
    const { store, requests } = await storeAnswering(profile, (n, response) => {
      response.end(
        `<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>${numbered(n)}</NextKeyMarker></ListMultipartUploadsResult>`,
      );
    });
    await expect(store.abortUploadsUnder("exports/", { signal })).rejects.toMatchObject({
      code: "store-foreign-answer",
      scope: "system",
    });
    expect(requests()).toBe(100);
  });

  test("a list of the open uploads whose marker leads back is not a list", async () => {
    const { store } = await storeAnswering(profile, (n, response) => {
      const upload = `<Upload><Key>exports/x</Key><UploadId>${n}</UploadId><Initiated>${DATE}</Initiated></Upload>`;
      const marker = n % 2 === 0 ? "exports/a" : "exports/b";
      response.end(
        `<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>${marker}</NextKeyMarker>${upload}</ListMultipartUploadsResult>`,
      );
    });
    await expect(store.abortUploadsUnder("exports/y", { signal })).rejects.toMatchObject({
      code: "store-foreign-answer",
    });
  });

  test("an object may be longer than any list", async () => {
    const body = Buffer.alloc(9 * MIB, 1);
    const { store } = await storeAnswering(profile, (_n, response) => {
      response.writeHead(200, { etag: '"e"', "content-length": body.length });
      response.end(body);
    });
    let bytes = 0;
    for await (const chunk of store.read("exports/x", { signal })) {
      bytes += chunk.length;
    }
    expect(bytes).toBe(body.length);
  });
});

test("a list by version 2 that repeats its keys under ever new tokens ends", async () => {
  const { store, requests } = await storeAnswering("aws", (n, response) => {
    response.end(page(["records/a", "records/b"], numbered(n)));
  });
  await expect(keysBelow(store, "records/")).rejects.toMatchObject({
    code: "store-foreign-answer",
    scope: "system",
  });
  expect(requests()).toBe(101);
});
