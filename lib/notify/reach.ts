import { certificateHint } from "../network/certificate-faults.ts";
import { type ProxySettings, proxyFor } from "../network/proxy-rules.ts";
import { dial } from "../network/tunnel.ts";
import type { CallOptions } from "../ports/platform.ts";
import { failedAttempt, shownCode } from "./errors.ts";
import type { SecretAddress } from "./target.ts";

/** Where a connection leads, and the setting that says so. */
export interface Reached extends CallOptions {
  readonly setting: string;
  readonly proxy: ProxySettings;
}

/**
 * Opens a connection to a web address, TLS included, and closes it. Nothing is sent.
 *
 * @throws NotifyError, or the signal's reason.
 */
export async function reachWeb(address: SecretAddress, options: Reached): Promise<void> {
  const url = new URL(address.reveal());
  await reach(url, proxyFor(url, options.proxy), options);
}

/** The same for a mail server: over `smtp://` it is spoken to in the clear first, so TCP alone is tried. */
export async function reachMailServer(server: SecretAddress, options: Reached): Promise<void> {
  const { protocol, hostname, port } = new URL(server.reveal());
  const isSecure = protocol === "smtps:";
  const authority = `${hostname}:${port === "" ? (isSecure ? 465 : 587) : port}`;
  // As mail is sent: through the proxy for https, whatever is spoken inside.
  const proxy = proxyFor(new URL(`https://${authority}`), options.proxy);
  await reach(new URL(`${isSecure ? "https" : "http"}://${authority}`), proxy, options);
}

async function reach(url: URL, proxy: URL | undefined, { setting, signal }: Reached): Promise<void> {
  try {
    const socket = await dial(url, { proxy, signal });
    socket.destroy();
  } catch (thrown) {
    signal.throwIfAborted();
    const code = shownCode(thrown);
    throw failedAttempt({
      fate: "not-taken",
      code: "notify-unreachable",
      problem: `could not be reached (${code ?? "no code"})`,
      hint:
        certificateHint(code, setting) ??
        `Compare ${setting} with the address that its service shows, and check firewall and proxy on the way.`,
    }).error;
  }
}
