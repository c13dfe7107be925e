import type { ExportDownload, Platform } from "../../lib/ports/platform.ts";
import type { FileAnswer, PlatformAnswers } from "../../lib/ports/platform-answers.ts";
import { probe } from "../../lib/probe/probe.ts";
import type { ProbeSheet } from "../../lib/probe/sheet.ts";
import { portsOf, settingsOf } from "../world/archive-run.ts";
import { platformError } from "../world/port-errors.ts";
import type { Ending } from "../world/runner-process.ts";
import type { RunnerOptions, World } from "../world/world.ts";

const LAST_OFFSET = 500;

export interface ProbeStart {
  readonly name?: string;
  readonly batchTaskId?: string;
  readonly signal?: AbortSignal;
  readonly runner?: RunnerOptions;
}

/** One probe to its end or death. To be called inside `world.run`. */
export function startProbe(
  world: World,
  { name = "probe", batchTaskId, signal = new AbortController().signal, runner: options }: ProbeStart = {},
): Promise<Ending<ProbeSheet>> {
  const runner = world.startRunner(name, options);
  const { platform, store, clock, random } = portsOf(runner);
  const ports = { platform, store, clock, random, answers: answersOf(platform), observe: () => undefined };
  return runner.process.execute(() => probe(ports, settingsOf(world), { batchTaskId, signal }));
}

/** The platform's answers as the simulated platform gives them. */
function answersOf(platform: Platform): PlatformAnswers {
  return {
    async askForListPage(offset, options) {
      const { tasks } = await platform.listExportTasks(options);
      if (offset > LAST_OFFSET) {
        throw platformError("platform-rejected-request", { httpStatus: 400, platformCode: "IOTDA.000018" });
      }
      const lastExportTaskId = tasks.at(-1)?.exportTaskId;
      return { totalCount: tasks.length, marker: lastExportTaskId, lastExportTaskId };
    },
    async askForFile(exportTaskId, { maxBytes, ...options }) {
      return await beginningOf(await platform.showExportTask(exportTaskId, options), maxBytes);
    },
  };
}

async function beginningOf(download: ExportDownload, maxBytes: number): Promise<FileAnswer> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of download.body) {
    chunks.push(chunk);
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maxBytes) {
      break;
    }
  }
  download.cancel();
  return {
    headers: new Map(),
    beginning: Buffer.concat(chunks).subarray(0, maxBytes),
    isWhole: sizeBytes <= maxBytes,
  };
}
