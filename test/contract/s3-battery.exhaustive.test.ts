import { once } from "node:events";
import { createServer, get, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { BodyCheck } from "../../lib/integrity/body-check.ts";
import { makeZip } from "../../lib/integrity/testing/zip-samples.ts";
import type { StoredObject } from "../../lib/ports/object-store.ts";
import type { S3Store } from "../../lib/store/s3/s3-store.ts";
import { startS3 } from "../../sandbox/s3/start.ts";
import { makeBucket, openUploads, realServer, type S3Server, storeOn } from "./s3-servers.ts";
import { bytesOf, KEY, keysBelow, readAll } from "./store-helpers.ts";

const MB = 1_000_000;
const never = new AbortController().signal;

/** A server to play the cases on. Only the stand-in tells what was asked of it. */
interface Stage {
  readonly server: S3Server;
  /** The operations since the last call; `undefined` where the server does not tell. */
  operations(): Promise<readonly string[] | undefined>;
  close(): Promise<void>;
}

async function standInStage(): Promise<Stage> {
  const standIn = await startS3({ profile: "generic-rich", settings: { logBodyHashes: false } });
  return {
    server: standIn,
    operations: async () => {
      const requests = await standIn.control.requests();
      await standIn.control.clearRequests();
      return requests.map(({ operation }) => operation);
    },
    close: () => standIn.stop(),
  };
}

const real = realServer();

async function realStage(): Promise<Stage> {
  if (real === undefined) {
    throw new Error("S3_ENDPOINT is not set");
  }
  const removeBucket = await makeBucket(real);
  return { server: real, operations: async () => undefined, close: removeBucket };
}

const STAGES: readonly (readonly [string, () => Promise<Stage>])[] = [
  ["the stand-in", standInStage],
  ...(real === undefined ? [] : [["the real server", realStage] as const]),
];

/** A ZIP of exactly this many bytes. */
function zipOf(sizeBytes: number): Buffer {
  const empty = makeZip({ members: [{ name: "export.csv", data: Buffer.alloc(0) }] });
  return makeZip({ members: [{ name: "export.csv", data: bytesOf(sizeBytes - empty.length) }] });
}

type Source = (response: ServerResponse, body: Buffer) => void;

/** Serves the body as the source likes to. */
async function serve(source: Source, body: Buffer): Promise<string> {
  const server = createServer((_request, response) => source(response, body));
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function answerFrom(url: string, signal: AbortSignal): Promise<IncomingMessage> {
  const asked = get(url, { signal });
  const [answer] = await once(asked, "response");
  // What breaks off the body reaches its reader.
  asked.on("error", () => undefined);
  return answer;
}

/** Download and upload in one pass, as the archiver does it: completed only with proof, aborted otherwise. */
async function relay(url: string, store: S3Store, signal: AbortSignal): Promise<StoredObject> {
  const body = await answerFrom(url, signal);
  const announced = body.headers["content-length"];
  const contentLengthBytes = announced === undefined ? undefined : Number(announced);
  const check = new BodyCheck({ accept: "zip", membersLimitBytes: 5 * 1024 * 1024, contentLengthBytes });
  const upload = await store.openUpload(KEY, { metadata: {}, expectedSizeBytes: contentLengthBytes, signal });
  let stored: StoredObject | undefined;
  try {
    for await (const chunk of body) {
      check.update(chunk);
      await upload.write(chunk);
    }
    const verdict = await check.finish({ signal });
    if (verdict.kind !== "whole") {
      throw new Error(`the body is ${verdict.kind}`);
    }
    stored = await upload.complete(verdict);
    return stored;
  } finally {
    if (stored === undefined) {
      await upload.abort();
    }
  }
}

/** Writes this many bytes, in order, and then does what is left to do. */
function sending(
  bytes: number,
  headers: Record<string, number | string>,
  then: (r: ServerResponse) => void,
): Source {
  return (response, body) => {
    response.writeHead(200, headers);
    response.write(body.subarray(0, bytes), () => then(response));
  };
}
const cut = (response: ServerResponse) => response.socket?.destroy();
const stall = () => undefined;
const closeCleanly = (response: ServerResponse) => response.socket?.end();

/** No length, no chunks: the end of the connection is the end of the body. */
function closeDelimited(bytes: number): Source {
  return ({ socket }, body) => {
    socket?.write("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
    socket?.end(body.subarray(0, bytes));
  };
}

/** The cases of the behaviour battery: sizes as there, but for the largest. */
const CASES: readonly (readonly [string, number, Source])[] = [
  ["declares 4 MB, sends 3 MB, closes", 4 * MB, sending(3 * MB, { "content-length": 4 * MB }, cut)],
  ["declares 40 MB, sends 30 MB, closes", 40 * MB, sending(30 * MB, { "content-length": 40 * MB }, cut)],
  ["chunked, cut at 30 MB", 40 * MB, sending(30 * MB, {}, cut)],
  ["close-delimited, ends at 30 MB", 40 * MB, closeDelimited(30 * MB)],
  ["ends cleanly, 12.5 of 13 MB", 13 * MB, sending(12.5 * MB, {}, (response) => response.end())],
  ["ends cleanly, 30 of 40 MB", 40 * MB, sending(30 * MB, {}, (response) => response.end())],
  ["ends cleanly, 3 of 4 MB, one part", 4 * MB, sending(3 * MB, {}, (response) => response.end())],
  ["declares 60 MB, 50 MB piped", 60 * MB, sending(50 * MB, { "content-length": 60 * MB }, closeCleanly)],
];

describe.each(STAGES)("on %s", (_stageName, openStage) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage();
  });
  afterEach(() => stage.operations());
  afterAll(() => stage.close());

  describe("a body that is not whole is an error, and nothing of it is stored or left open", () => {
    test.each(CASES)("%s", async (_name, wholeBytes, source) => {
      const store = storeOn(stage.server, { profile: "generic" });
      onTestFinished(() => store.close());
      const url = await serve(source, zipOf(wholeBytes));
      await expect(relay(url, store, never)).rejects.toThrow();
      expect(await keysBelow(store, "")).toEqual([]);
      expect(await openUploads(store)).toEqual([]);
      const operations = await stage.operations();
      if (operations !== undefined) {
        expect(operations.includes("AbortMultipartUpload")).toBe(wholeBytes > 5 * 1024 * 1024);
      }
    });

    test("the source stalls, aborted while the upload is under way", async () => {
      const store = storeOn(stage.server, { profile: "generic" });
      onTestFinished(() => store.close());
      const url = await serve(sending(30 * MB, { "content-length": 40 * MB }, stall), zipOf(40 * MB));
      const controller = new AbortController();
      const relayed = expect(relay(url, store, controller.signal)).rejects.toThrow();
      await expect.poll(() => openUploads(store)).toEqual([KEY]);
      controller.abort(new Error("time is up"));
      await relayed;
      expect((await stage.operations()) ?? ["CreateMultipartUpload"]).toContain("CreateMultipartUpload");
      expect(await keysBelow(store, "")).toEqual([]);
      expect(await openUploads(store)).toEqual([]);
    });

    test.each([
      ["the proof promises more", 13 * MB, 12.5 * MB],
      ["the body has bytes too many", 12.5 * MB, 13 * MB],
    ])("%s: refused at completion", async (_name, provedBytes, writtenBytes) => {
      const store = storeOn(stage.server, { profile: "generic" });
      onTestFinished(() => store.close());
      const upload = await store.openUpload(KEY, {
        metadata: {},
        expectedSizeBytes: provedBytes,
        signal: never,
      });
      await upload.write(bytesOf(writtenBytes));
      const proof = { sizeBytes: provedBytes, sha256: "0".repeat(64) };
      await expect(upload.complete(proof)).rejects.toMatchObject({ code: "store-proof-mismatch" });
      await expect(upload.complete({ sizeBytes: writtenBytes, sha256: "" })).rejects.toMatchObject({
        code: "store-proof-mismatch",
      });
      await upload.abort();
      expect(await keysBelow(store, "")).toEqual([]);
      expect(await openUploads(store)).toEqual([]);
    });
  });

  test.each([1_000, 4 * MB, 5 * 1024 * 1024, 13 * MB])(
    "a whole body of %i bytes is stored",
    async (sizeBytes) => {
      const store = storeOn(stage.server, { profile: "generic" });
      onTestFinished(() => store.close());
      const body = zipOf(sizeBytes);
      const url = await serve((response) => response.end(body), body);
      expect(await relay(url, store, never)).toMatchObject({ sizeBytes });
      expect((await readAll(store, KEY)).equals(body)).toBe(true);
    },
  );
});
