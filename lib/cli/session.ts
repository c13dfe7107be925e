import type { Configuration } from "../config/configuration.ts";
import { systemClock } from "../config/system.ts";
import { type Archiver, type WiringOptions, wire } from "../config/wiring.ts";
import { createPlainLog, type Log } from "../observability/log.ts";
import { loadConfiguration, type SettingsFileOptions } from "./environment.ts";
import { interruptible } from "./operator.ts";
import { isLive, shownSecrets } from "./output.ts";
import { createPlainView, type RunView } from "./run-view.ts";

/** Options that every command takes. */
export type CommonOptions = SettingsFileOptions;

/** What a command works with while it runs. */
export interface Session {
  readonly archiver: Archiver;
  readonly view: RunView;
  /** Aborted by the operator's first interrupt. */
  readonly signal: AbortSignal;
}

/**
 * Reads the configuration, puts the archiver together, shows progress on stderr (a live view on a terminal,
 * log lines elsewhere) and takes everything down again, whatever comes of `work`.
 *
 * @param purpose what the command does with the archive.
 */
export async function withSession<T>(
  options: CommonOptions,
  purpose: WiringOptions["purpose"],
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const configuration = await loadConfiguration(options, ["platform", "store", "queue"]);
  const view = await createView(configuration);
  const { guessedRegion: region } = configuration.platform;
  if (region !== undefined && configuration.logLevel === "DEBUG") {
    view.say(`ARCHIVER_IOTDA_REGION is not set: ${region}, as the host of ARCHIVER_IOTDA_ENDPOINT says`);
  }
  try {
    const archiver = await wire(configuration, (event) => view.observe(event), {
      purpose,
      redactor: shownSecrets,
    });
    try {
      return await interruptible(
        (line) => view.say(line),
        (signal) => work({ archiver, view, signal }),
      );
    } finally {
      await archiver.close();
    }
  } finally {
    view.close();
  }
}

async function createView(configuration: Configuration): Promise<RunView> {
  if (!isLive(process.stderr)) {
    return createPlainView(createStderrLog(configuration));
  }
  const { createLiveView } = await import("./live-view.ts");
  return createLiveView(process.stderr, configuration.logLevel === "DEBUG", () => systemClock.wallMs());
}

function createStderrLog(configuration: Configuration): Log {
  return createPlainLog({
    sink: process.stderr,
    level: configuration.logLevel,
    secrets: shownSecrets,
    wallMs: () => systemClock.wallMs(),
  });
}
