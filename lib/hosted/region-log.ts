import type { PlatformConfiguration } from "../config/configuration.ts";
import type { FunctionLog } from "../observability/function-log.ts";

/** Logs the region once a call, where it was taken from the endpoint's host. */
export function logGuessedRegion(log: FunctionLog, platform: PlatformConfiguration): void {
  const { guessedRegion: region } = platform;
  if (region !== undefined) {
    log.info("region-from-host", { region, setting: "ARCHIVER_IOTDA_REGION" });
  }
}
