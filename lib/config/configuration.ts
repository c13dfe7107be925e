import type { ProxySettings } from "../network/proxy-rules.ts";
import { Redactor, type Secret } from "../observability/redact.ts";
import type { AgencyKeys } from "./agency-keys.ts";
import { ConfigurationError, type ConfigurationProblem } from "./errors.ts";
import { knownSecrets, problemsOfUnknownNames } from "./names.ts";
import { problemsOfNodeEnvironment } from "./node-names.ts";
import {
  checkAlways,
  type PlatformConfiguration,
  platformOf,
  type QueueConfiguration,
  queueOf,
  type Refuse,
  type SectionsRead,
  type StoreConfiguration,
  storeOf,
  type Values,
} from "./rules.ts";
import { type Environment, fixFor, readSection, type Section } from "./section.ts";
import { SECTIONS } from "./settings.ts";

/** The parts of the configuration that a command may or may not need. */
export type ConfigurationPart = keyof ConfigurationParts;

/** What discovering and archiving need. */
export type ArchivingPart = Exclude<ConfigurationPart, "events" | "retention">;

/**
 * What the environment says, checked and typed. `Configuration<"store">` has, of these parts, the store
 * only: what a command did not ask for may be missing and is not handed out.
 */
export type Configuration<Part extends ConfigurationPart = ArchivingPart> = CommonConfiguration &
  Pick<ConfigurationParts, Part>;

export interface ConfigurationParts {
  readonly platform: PlatformConfiguration;
  readonly store: StoreConfiguration;
  readonly queue: QueueConfiguration;
  readonly events: Values<"events">;
  readonly retention: Values<"retention">;
}

export type ProxyConfiguration = Values<"proxy">;

/** Gives the proxies' addresses out where they are used, and nowhere else. */
export function settingsOfProxy({ httpProxy, httpsProxy, noProxy }: ProxyConfiguration): ProxySettings {
  return { httpProxy: httpProxy?.reveal(), httpsProxy: httpsProxy?.reveal(), noProxy };
}

export interface CommonConfiguration {
  readonly identity: IdentityConfiguration;
  readonly archive: Values<"archive">;
  readonly verification: Values<"verification">;
  readonly notification: Values<"notification">;
  readonly report: Values<"report">;
  readonly logLevel: Values<"logging">["level"];
  readonly proxy: ProxyConfiguration;
  /** Every secret of the environment, for the redaction of all that is shown. */
  readonly secrets: readonly Secret[];
}

/** Which archive is meant, whatever the command works with. */
export interface IdentityConfiguration {
  /** `ARCHIVER_ARCHIVE_ID`, in lower case. */
  readonly archiveId: string | undefined;
  /** The file of the SQLite queue: it remembers the archive. */
  readonly queueFile: string | undefined;
  readonly isStoreNamed: boolean;
  readonly isQueueNamed: boolean;
}

/** What a configuration is made of besides variables. */
export interface ConfigurationSources {
  /** What is wrong with the place that the variables come from. */
  readonly found?: readonly ConfigurationProblem[];
  /** The keys of the function's agency; without a holder, `agency` is refused. */
  readonly agencyKeys?: AgencyKeys | undefined;
}

/**
 * Reads the whole configuration from environment variables (architecture §6.1).
 *
 * Unknown `ARCHIVER_*` names, malformed values and contradictory sources are refused whatever the command
 * needs; a missing value only when `need` names its part. So is an environment in which Node checks no certificate.
 *
 * @param need the parts the command works with; only these are in the result.
 * @throws {ConfigurationError} listing every problem at once.
 */
export function readConfiguration<Part extends ConfigurationPart>(
  env: Environment,
  need: ReadonlySet<Part>,
  { found = [], agencyKeys }: ConfigurationSources = {},
): Configuration<Part> {
  const secrets = knownSecrets(env);
  const read = readSections(env, new Redactor(secrets));
  const problems = [
    ...found,
    ...problemsOfNodeEnvironment(env),
    ...problemsOfUnknownNames(env),
    ...Object.values(read).flatMap(({ malformed }) => malformed),
  ];
  const refuse: Refuse = ({ about }, problem, fix = fixFor(about)) => {
    problems.push({ name: about.name, problem, fix });
  };
  checkAlways(read, refuse, agencyKeys);
  const parts: { readonly [Name in ConfigurationPart]: () => ConfigurationParts[Name] | undefined } = {
    platform: () => platformOf(read, refuse, agencyKeys),
    store: () => storeOf(read, refuse, agencyKeys),
    queue: () => queueOf(read, refuse),
    events: () => read.events.whole,
    retention: () => read.retention.whole,
  };
  const present = [...need].map((part) => {
    problems.push(...read[part].missing);
    return [part, parts[part]()] as const;
  });
  const { whole: archive } = read.archive;
  const { whole: verification } = read.verification;
  const { whole: notification } = read.notification;
  const { whole: report } = read.report;
  const level = read.logging.whole?.level;
  const proxy = read.proxy.whole;
  const isWhole = present.every(([, value]) => value !== undefined);
  if (
    problems.length > 0 ||
    archive === undefined ||
    verification === undefined ||
    notification === undefined ||
    report === undefined ||
    level === undefined ||
    proxy === undefined ||
    !isWhole
  ) {
    throw new ConfigurationError(withoutRepeats(problems));
  }
  const common = {
    identity: identityOf(read),
    archive,
    verification,
    notification,
    report,
    logLevel: level,
    proxy,
    secrets,
  };
  // Every part in `need` is there.
  return { ...common, ...Object.fromEntries(present) } as Configuration<Part>;
}

function readSections(env: Environment, redactor: Redactor): SectionsRead {
  const read = <Of extends Section>(section: Of) => readSection(section, env, redactor);
  return {
    platform: read(SECTIONS.platform),
    credentials: read(SECTIONS.credentials),
    store: read(SECTIONS.store),
    queue: read(SECTIONS.queue),
    archive: read(SECTIONS.archive),
    events: read(SECTIONS.events),
    retention: read(SECTIONS.retention),
    verification: read(SECTIONS.verification),
    notification: read(SECTIONS.notification),
    report: read(SECTIONS.report),
    logging: read(SECTIONS.logging),
    proxy: read(SECTIONS.proxy),
  };
}

function identityOf({ store, queue }: SectionsRead): IdentityConfiguration {
  const { location } = queue.values;
  return {
    archiveId: store.values.archiveId,
    queueFile: location?.kind === "sqlite" ? location.file : undefined,
    isStoreNamed: store.isSet("location"),
    isQueueNamed: queue.isSet("location"),
  };
}

/** Two parts may miss the same keys; people need to hear it once. */
function withoutRepeats(problems: readonly ConfigurationProblem[]): readonly ConfigurationProblem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}
