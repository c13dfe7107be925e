import type { Configuration } from "../config/configuration.ts";
import { wireProbe } from "../config/probe-wiring.ts";
import { signingAlgorithmFor } from "../iotda/signing.ts";
import type { ProbeEvent } from "../probe/ports.ts";
import { probe } from "../probe/probe.ts";
import { loadConfiguration } from "./environment.ts";
import { formatDuration } from "./format.ts";
import { askYesNo } from "./guide/talk.ts";
import { openTerminal } from "./guide/terminal.ts";
import { InterruptedByOperator, interruptible } from "./operator.ts";
import { isLive, operatorLines, type Result, shownSecrets } from "./output.ts";
import { effortLines, type ProbedPlace, previewDocument, previewLines, sheetLines } from "./probe-lines.ts";
import { EXIT } from "./process.ts";
import type { CommonOptions } from "./session.ts";
import { wrongUsage } from "./usage.ts";

export interface ProbeCommandOptions extends CommonOptions {
  readonly live?: true;
  readonly batchTask?: string;
  readonly yes?: true;
}

/** `probe`: says what it would ask the platform; with `--live` it asks, and prints the sheet. */
export async function probeCommand({
  live,
  batchTask,
  yes,
  ...options
}: ProbeCommandOptions): Promise<Result> {
  const configuration = await loadConfiguration(options, ["platform", "store"]);
  const place = placeOf(configuration, batchTask);
  if (live === undefined) {
    return { document: previewDocument(), lines: previewLines(place), exitCode: EXIT.done };
  }
  const say = await operatorLines();
  if (yes === undefined) {
    await confirm(place);
  }
  const { ports, settings, close } = await wireProbe(configuration, shownSecrets, (event) =>
    say(inWords(event)),
  );
  try {
    const sheet = await interruptible(say, (signal) =>
      probe(ports, settings, { batchTaskId: batchTask, signal }),
    );
    const isWhole = sheet.answers.every(({ state }) => state !== "failed");
    const { signing, region = null } = place;
    return {
      document: { ...sheet, signing, region },
      lines: sheetLines(sheet, place),
      exitCode: sheet.isInterrupted ? EXIT.interrupted : isWhole ? EXIT.done : EXIT.partlyAnswered,
    };
  } finally {
    await close();
  }
}

/** @throws InterruptedByOperator for anything but a yes, and a wrong usage where no terminal is there to ask at. */
async function confirm(place: ProbedPlace): Promise<void> {
  if (!(process.stdin.isTTY && isLive(process.stderr))) {
    throw wrongUsage("without a terminal, probe --live needs --yes");
  }
  const talk = await openTerminal();
  try {
    talk.say(...effortLines(place));
    if (!(await askYesNo(talk, "Ask the platform now?", false))) {
      talk.say("The probe asked nothing.");
      throw new InterruptedByOperator();
    }
  } finally {
    talk.close();
  }
}

function placeOf(
  { platform, archive }: Configuration<"platform" | "store">,
  batchTaskId: string | undefined,
): ProbedPlace {
  const { endpoint, signing, regionId } = platform;
  return {
    host: endpoint.host,
    signing: signing === "auto" ? signingAlgorithmFor(endpoint.hostname) : signing,
    region: regionId,
    downloadIntervalMs: archive.downloadIntervalMs,
    batchTaskId,
  };
}

function inWords(event: ProbeEvent): string {
  switch (event.kind) {
    case "asking":
      return `Asking ${event.what}.`;
    case "waiting-for-slot":
      return `Waiting ${formatDuration(event.waitMs)} for the next download slot.`;
    case "waiting-for-export":
      return "Waiting up to 2 min for the platform to finish the probe's export.";
    case "pace-unshared":
      return "warning: runners cannot share the pace in this store. Let no run start before the probe has ended.";
    case "pacing-state-corrupt":
      return "warning: the pacing state could not be used and has been set again";
  }
}
