import type { ProxySettings } from "../network/proxy-rules.ts";
import type { ProxyConfiguration } from "./configuration.ts";

/** Gives the proxies' addresses out where they are used, and nowhere else. */
export function settingsOfProxy({ httpProxy, httpsProxy, noProxy }: ProxyConfiguration): ProxySettings {
  return { httpProxy: httpProxy?.reveal(), httpsProxy: httpsProxy?.reveal(), noProxy };
}
