import type { ConfigurationProblem } from "./errors.ts";
import type { Environment } from "./section.ts";

const EXTRA_CA = "NODE_EXTRA_CA_CERTS";
const NO_CHECK = "NODE_TLS_REJECT_UNAUTHORIZED";

/** Switched off, whoever stands on the way reads the keys and says what is archived. */
const KEEP_CHECKING = `Certificates are always checked: for an authority of your own, export ${EXTRA_CA} (the path of its PEM file) before the start.`;

/** What Node and OpenSSL take from the environment that Node is started in: a file that is read later changes nothing. */
const NODE_NAMES: ReadonlySet<string> = new Set([
  EXTRA_CA,
  NO_CHECK,
  "NODE_DEBUG",
  "NODE_OPTIONS",
  "NODE_USE_ENV_PROXY",
  "NODE_USE_SYSTEM_CA",
  "OPENSSL_CONF",
  "SSL_CERT_DIR",
  "SSL_CERT_FILE",
  "UV_THREADPOOL_SIZE",
]);

/** Whether only the environment of the process can carry this name. */
export function isNodeName(name: string): boolean {
  return NODE_NAMES.has(name);
}

/** An environment in which Node checks no certificate: nothing may be sent there. */
export function problemsOfNodeEnvironment(env: Environment): ConfigurationProblem[] {
  // Node takes no other value for it.
  return env[NO_CHECK] === "0"
    ? [
        {
          name: NO_CHECK,
          problem: "is 0, so that Node would check no certificate",
          fix: `Remove it. ${KEEP_CHECKING}`,
        },
      ]
    : [];
}

/**
 * Names in a file of settings that have no effect there.
 *
 * @param file what the problems call the file.
 * @param read what the file holds.
 * @param env the environment of the process. A file that systemd reads as well is in it: there, the name has its effect.
 */
export function problemsOfNodeNames(
  file: string,
  read: Environment,
  env: Environment,
): ConfigurationProblem[] {
  return Object.keys(read)
    .filter((name) => isNodeName(name) && read[name] !== "" && read[name] !== env[name])
    .map((name) => ({
      name: `${file}, ${name}`,
      problem: "has no effect there, since Node reads it before any file of settings",
      fix:
        name === NO_CHECK
          ? `Remove it. ${KEEP_CHECKING}`
          : "Remove it from the file; export it in the environment before the start.",
    }));
}

/** The settings of a file without those that have no effect there. */
export function withoutNodeNames(read: Environment): Environment {
  return Object.fromEntries(Object.entries(read).filter(([name]) => !isNodeName(name)));
}
