import type { PlatformScope } from "../domain/export-task.ts";
import type { ProxySettings } from "../network/proxy-rules.ts";
import type { Credentials, SigningAlgorithm } from "./signing.ts";

/** Time and size limits of platform calls. Times in milliseconds, sizes in bytes. */
export interface IotdaLimits {
  /** TCP, proxy tunnel and TLS together. */
  readonly connectMs: number;
  /** From the request written to the answer's head. */
  readonly headersMs: number;
  /** Longest silence inside a body; a reader that is slow itself does not count. */
  readonly idleMs: number;
  /** A whole list (all pages), delete or create call, and reading an error body of a download. */
  readonly jsonTotalMs: number;
  /** One list page or create answer. */
  readonly maxJsonBytes: number;
}

export const DEFAULT_IOTDA_LIMITS: IotdaLimits = {
  connectMs: 10_000,
  headersMs: 30_000,
  idleMs: 60_000,
  jsonTotalMs: 60_000,
  maxJsonBytes: 16 * 1024 * 1024,
};

/**
 * Where credentials come from, asked once per call.
 *
 * @param refresh the platform refused the ones given last: look again rather than into a cache.
 */
export type CredentialsProvider = (refresh: boolean) => Promise<Credentials>;

export interface IotdaClientOptions extends PlatformScope {
  /** Origin only: `https://host[:port]`. Whether `http://` is allowed is the config module's business. */
  readonly endpoint: string;
  /** Needed for the derived signature; never guessed from the host here. */
  readonly regionId?: string | undefined;
  /** `auto` = the official rule by host, standard on loopback. */
  readonly signing?: "auto" | SigningAlgorithm;
  readonly credentials: CredentialsProvider;
  /** Epoch milliseconds, for `X-Sdk-Date`; the gateway allows 15 minutes of skew (iotda-api §3.1). */
  readonly wallMs: () => number;
  readonly proxy?: ProxySettings;
  readonly limits?: Partial<IotdaLimits>;
}
