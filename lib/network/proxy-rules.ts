/** Proxies as the environment variables of the same names say; the config module reads those. */
export interface ProxySettings {
  readonly httpsProxy?: string | undefined;
  readonly httpProxy?: string | undefined;
  readonly noProxy?: string | undefined;
}

const DEFAULT_PORT_OF: Readonly<Record<string, string>> = { "http:": "80", "https:": "443" };

/** The proxy for a request to this address; `undefined` where it goes out directly. */
export function proxyFor(target: URL, settings: ProxySettings): URL | undefined {
  const text = target.protocol === "https:" ? settings.httpsProxy : settings.httpProxy;
  const proxy = URL.parse(text ?? "");
  return proxy === null || isExempt(target, settings.noProxy ?? "") ? undefined : proxy;
}

/** Whether a setting is empty or the address of a proxy that can be spoken to. */
export function isProxyAddress(text: string | undefined): boolean {
  const protocol = URL.parse(text ?? "")?.protocol;
  return text === undefined || text === "" || protocol === "http:" || protocol === "https:";
}

/** A host without the brackets of an IPv6 address, as sockets take it. */
export function bareHost(hostname: string): string {
  return hostname.replace(/^\[(.+)\]$/, "$1");
}

/** The port of an address, the protocol's own where it names none. */
export function portOf(url: URL): string {
  return url.port === "" ? (DEFAULT_PORT_OF[url.protocol] ?? "") : url.port;
}

/**
 * `NO_PROXY`: names apart by commas or space, each for its subdomains too, a port where it
 * binds to that port alone; `*.name` leaves the name itself out, `*` is every host.
 */
function isExempt(target: URL, noProxy: string): boolean {
  const host = withoutEndDot(bareHost(target.hostname).toLowerCase());
  const port = portOf(target);
  return noProxy
    .split(/[,\s]+/)
    .filter((entry) => entry !== "")
    .map(parseEntry)
    .some(
      (entry) =>
        (entry.port === undefined || entry.port === port) &&
        (entry.name === "*" ||
          (!entry.subdomainsOnly && host === entry.name) ||
          host.endsWith(`.${entry.name}`)),
    );
}

interface NoProxyEntry {
  readonly name: string;
  readonly port: string | undefined;
  readonly subdomainsOnly: boolean;
}

/** An IPv6 address with a port needs brackets; without them its colons are its own. */
const ENTRY = /^(?:\[(?<bracketed>[^\]]+)\]|(?<name>[^:]+))(?::(?<port>\d+))?$/;

function parseEntry(entry: string): NoProxyEntry {
  const { bracketed, name, port } = ENTRY.exec(entry)?.groups ?? {};
  const host = bracketed ?? name ?? entry;
  return {
    name: withoutEndDot(host.replace(/^\*?\./, "").toLowerCase()),
    port: port === undefined ? undefined : String(Number(port)),
    subdomainsOnly: entry.startsWith("*"),
  };
}

function withoutEndDot(host: string): string {
  return host.replace(/(?<=.)\.$/, "");
}
