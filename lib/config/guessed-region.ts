import type { PlatformConfiguration } from "./configuration.ts";

/**
 * The region that was taken from the endpoint's host because nobody set one, for the log (design §6.1): when it is
 * wrong, every derived signature is. `undefined` when it was set, or there is none.
 */
export function guessedRegion({ region, regionSource }: PlatformConfiguration): string | undefined {
  return regionSource === "host" ? region : undefined;
}
