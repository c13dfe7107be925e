import { isIP } from "node:net";
import { createTransport } from "nodemailer";
import { certificateHint } from "../network/certificate-faults.ts";
import { isLoopback } from "../network/loopback.ts";
import { bareHost, proxyFor } from "../network/proxy-rules.ts";
import { dial } from "../network/tunnel.ts";
import type { Message } from "../ports/notifier.ts";
import { inAttempts, type SendOptions } from "./attempts.ts";
import { type FailedAttempt, type Fate, failedAttempt, shownCode } from "./errors.ts";
import type { SecretAddress } from "./target.ts";

// Loaded when the first mail is sent: nodemailer is for few.

const SERVER = "Check ARCHIVER_SMTP, and the network, firewall and proxy on the way to the mail server.";
const ACCOUNT =
  "Check user and password in ARCHIVER_SMTP, and whether the server lets them write to this address.";

interface MailOptions extends SendOptions {
  /** `smtp://` or `smtps://`, with user and password. */
  readonly server: SecretAddress;
  readonly signal: AbortSignal;
}

/**
 * Sends one mail by SMTP.
 *
 * Without TLS no user, password or text leaves this machine: `smtp://` begins in the clear and turns to TLS first.
 *
 * @throws {NotifyError} when the server did not take it; or the reason of the signal.
 */
export async function sendMail(
  address: SecretAddress,
  message: Message,
  { server, proxy, limits, signal }: MailOptions,
): Promise<void> {
  const url = new URL(server.reveal());
  await inAttempts((limited) => attempt(url, address.reveal(), message, proxy, limited), signal, limits);
}

async function attempt(
  url: URL,
  to: string,
  { subject, text }: Message,
  proxy: SendOptions["proxy"],
  signal: AbortSignal,
): Promise<void> {
  const isSecure = url.protocol === "smtps:";
  const host = bareHost(url.hostname);
  const user = decodeURIComponent(url.username);
  const port = url.port === "" ? (isSecure ? 465 : 587) : Number(url.port);
  const connection = await connected(host, port, proxy, signal);
  const onAbort = () => connection.destroy();
  signal.addEventListener("abort", onAbort, { once: true });
  const transport = createTransport({
    host,
    port,
    secure: isSecure,
    requireTLS: !isSecure && !isLoopback(url.hostname),
    ...(isIP(host) === 0 ? { tls: { servername: host } } : {}),
    ...(user === "" ? {} : { auth: { user, pass: decodeURIComponent(url.password) } }),
    connection,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    // Many servers take only mail of the account that sends it.
    const from = user.includes("@") ? user : to;
    await transport.sendMail({ from: { name: "iotda-archiver", address: from }, to, subject, text });
  } catch (thrown) {
    signal.throwIfAborted();
    throw failureOf(thrown);
  } finally {
    signal.removeEventListener("abort", onAbort);
    transport.close();
    connection.destroy();
  }
}

async function connected(host: string, port: number, proxy: SendOptions["proxy"], signal: AbortSignal) {
  const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  // A tunnel leads through the proxy for https; what is dialled is TCP alone.
  const through = proxyFor(new URL(`https://${authority}`), proxy);
  try {
    return await dial(new URL(`http://${authority}`), { proxy: through, signal });
  } catch (thrown) {
    signal.throwIfAborted();
    const problem = `could not be reached (${shownCode(thrown) ?? "no code"})`;
    throw failedAttempt({ fate: "not-taken", code: "notify-unreachable", problem, hint: SERVER });
  }
}

/** What nodemailer throws: the server's reply where there was one, its text left out. */
function failureOf(thrown: unknown): FailedAttempt {
  const { responseCode } = thrown as { readonly responseCode?: unknown };
  const reply = typeof responseCode === "number" ? responseCode : undefined;
  const code = shownCode(thrown);
  if (
    reply !== undefined ||
    code === "EAUTH" ||
    code === "EENVELOPE" ||
    code === "ETLS" ||
    code === "EREQUIRETLS"
  ) {
    // A reply of 4xx asks to come back later.
    const fate: Fate = reply !== undefined && reply < 500 ? "not-taken" : "never";
    const problem = `refused the mail (${reply ?? code})`;
    const hint = certificateHint(code, "ARCHIVER_SMTP") ?? ACCOUNT;
    return failedAttempt({ fate, code: "notify-refused", problem, hint });
  }
  const problem = `gave no whole answer (${code ?? "no code"})`;
  return failedAttempt({ fate: "unknown", code: "notify-unreachable", problem, hint: SERVER });
}
