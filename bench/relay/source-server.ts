// A program of its own: an HTTP server that has one ZIP of every size, and breaks off when the path says so.
// Prints one line of JSON with its endpoint; ends when its standard input does.
//   /whole/{bytes}                      the file with its Content-Length
//   /cut/{framing}/{bytes}/{sentBytes}  its beginning: `length` and `chunked` then break off, `close` (no length, ended by
//                                       the end of the connection) ends as if that were all, `stall` falls silent
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { ZipBody } from "./zip-body.ts";

const PATH = /^\/(?:whole|cut\/(?<framing>length|chunked|close|stall))\/(?<size>\d+)(?:\/(?<sent>\d+))?$/;

const bodies = new Map<number, ZipBody>();

const server = createServer((request, response) => {
  answer(request.url ?? "", response).catch((error: unknown) => {
    // The client left: it is measured, not this server.
    response.destroy(error instanceof Error ? error : undefined);
  });
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const address = server.address();
if (typeof address !== "object" || address === null) {
  throw new Error("the source has no address");
}
process.stdout.write(`${JSON.stringify({ endpoint: `http://127.0.0.1:${address.port}` })}\n`);
process.stdin.once("end", () => process.exit(0)).resume();

async function answer(path: string, response: ServerResponse): Promise<void> {
  const groups = PATH.exec(path)?.groups;
  if (groups === undefined) {
    response.writeHead(404).end();
    return;
  }
  const { framing, size, sent } = groups;
  const body = bodyOf(Number(size));
  const sentBytes = sent === undefined ? body.sizeBytes : Number(sent);
  response.setHeader("content-type", "application/zip");
  if (framing === "close") {
    response.useChunkedEncodingByDefault = false;
    response.setHeader("connection", "close");
  } else if (framing !== "chunked") {
    response.setHeader("content-length", body.sizeBytes);
  }
  for (const chunk of body.chunks(sentBytes)) {
    if (!response.write(chunk)) {
      await once(response, "drain", { signal: AbortSignal.timeout(60_000) });
    }
  }
  switch (framing) {
    case "length":
    case "chunked":
      response.socket?.destroySoon();
      return;
    case "stall":
      return;
    default:
      response.end();
  }
}

function bodyOf(sizeBytes: number): ZipBody {
  const body = bodies.get(sizeBytes) ?? new ZipBody(sizeBytes);
  bodies.set(sizeBytes, body);
  return body;
}
