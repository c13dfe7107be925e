import { join } from "node:path";
import { requestSigner } from "../lib/iotda/request-signer.ts";
import { watch } from "./watched-process.ts";
import { bareEnvironment, type Workplace } from "./workplace.ts";

const CLIENT = join(import.meta.dirname, "floor-client.ts");

/** What moving one export took: the archiver's or a plain program's. */
export interface TransferFigures {
  readonly name: string;
  readonly sizeBytes: number;
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** One way to fetch an export without the archiver. */
interface Peer {
  readonly name: string;
  command(
    request: SignedRequest,
    file: string,
  ): { readonly program: string; readonly args: readonly string[] };
}

interface SignedRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

const PEERS: readonly Peer[] = [
  {
    name: "curl to a file (no hash, no flush)",
    command: ({ url, headers }, file) => ({
      program: "curl",
      args: [
        ...["--silent", "--show-error", "--fail", "--output", file],
        ...Object.entries(headers).flatMap(([name, value]) => ["--header", `${name}: ${value}`]),
        url.href,
      ],
    }),
  },
  nodePeer("plain Node: download, SHA-256, flushed file", []),
  nodePeer("the same, then read back and hashed", ["--read-back"]),
];

function nodePeer(name: string, options: readonly string[]): Peer {
  return {
    name,
    command: ({ url, headers }, file) => {
      const request = { host: url.hostname, port: url.port, path: url.pathname, headers };
      return { program: process.execPath, args: [CLIENT, JSON.stringify(request), file, ...options] };
    },
  };
}

/** Fetches the same export from the same sandbox by each plain program in turn. */
export async function measurePeers(
  workplace: Workplace,
  exportTaskId: string,
  sizeBytes: number,
  pauseMs: number,
): Promise<readonly TransferFigures[]> {
  const figures: TransferFigures[] = [];
  for (const [index, { name, command }] of PEERS.entries()) {
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    const { program, args } = command(
      signedDownload(workplace, exportTaskId),
      join(workplace.folder, `peer-${index}.zip`),
    );
    const { wallMs, cpuMs } = await watch(program, args, bareEnvironment());
    figures.push({ name, sizeBytes, wallMs, cpuMs });
  }
  return figures;
}

/** The sandbox serves no request without a signature. */
function signedDownload({ sandbox, account, projectId }: Workplace, exportTaskId: string): SignedRequest {
  const signer = requestSigner({
    endpoint: sandbox.endpoint,
    projectId,
    instanceId: undefined,
    credentials: async () => account,
    wallMs: () => Date.now(),
  });
  const { target, headers } = signer.sign({ method: "GET", subPath: `/${exportTaskId}/file` }, account);
  return { url: new URL(target, sandbox.endpoint), headers };
}
