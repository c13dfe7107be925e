import { type ProxySettings, proxyFor } from "../network/proxy-rules.ts";
import { dial } from "../network/tunnel.ts";
import type { CallOptions } from "../ports/platform.ts";
import { transportFault } from "./errors.ts";

/**
 * Opens a connection to the platform, TLS included, and closes it. Nothing is sent.
 *
 * @throws PlatformError `platform-unreachable`, or the signal's reason.
 */
export async function reachPlatform(
  endpoint: URL,
  proxy: ProxySettings,
  { signal }: CallOptions,
): Promise<void> {
  try {
    const socket = await dial(endpoint, { proxy: proxyFor(endpoint, proxy), signal });
    socket.destroy();
  } catch (thrown) {
    signal.throwIfAborted();
    throw transportFault("connect", thrown);
  }
}
