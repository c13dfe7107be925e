import type {
  CommonConfiguration,
  Configuration,
  ConfigurationPart,
  ConfigurationParts,
} from "./configuration.ts";
import { ConfigurationError, type ConfigurationProblem } from "./errors.ts";
import { checkEventSecretSources, readEvents } from "./events-part.ts";
import { knownSecrets } from "./known-secrets.ts";
import { problemsOfNodeEnvironment } from "./node-names.ts";
import { PartReader, readArchive, readQueue, readRetention } from "./parts.ts";
import { checkCredentialSources, checkEndpoint, readPlatform } from "./platform-part.ts";
import { type Environment, readSettings } from "./read-settings.ts";
import { readStore } from "./store-part.ts";

/**
 * Reads the whole configuration from environment variables (architecture §6.1).
 *
 * Unknown `ARCHIVER_*` names, malformed values and contradictory sources are refused whatever the command
 * needs; a missing value only when `need` names its part. So is an environment in which Node checks no certificate.
 *
 * @param need the parts the command works with; only these are in the result.
 * @param found what is wrong with the place that the variables come from.
 * @throws {ConfigurationError} listing every problem at once.
 */
export function readConfiguration<Part extends ConfigurationPart>(
  env: Environment,
  need: ReadonlySet<Part>,
  found: readonly ConfigurationProblem[] = [],
): Configuration<Part> {
  const secrets = knownSecrets(env);
  const reader = new PartReader(readSettings(env, secrets));
  checkCredentialSources(reader);
  checkEndpoint(reader);
  checkEventSecretSources(reader);
  const needed: ReadonlySet<ConfigurationPart> = need;
  const parts: { readonly [Name in ConfigurationPart]: ConfigurationParts[Name] | undefined } = {
    platform: needed.has("platform") ? readPlatform(reader) : undefined,
    store: needed.has("store") ? readStore(reader) : undefined,
    queue: needed.has("queue") ? readQueue(reader) : undefined,
    events: needed.has("events") ? readEvents(reader) : undefined,
    retention: needed.has("retention") ? readRetention(reader) : undefined,
  };
  const archive = readArchive(reader);
  const logLevel = reader.values.ARCHIVER_LOG_LEVEL;
  const incomplete = [...need].some((part) => parts[part] === undefined);
  const problems = [...found, ...problemsOfNodeEnvironment(env), ...reader.problems];
  if (problems.length > 0 || archive === undefined || logLevel === undefined || incomplete) {
    throw new ConfigurationError(withoutRepeats(problems));
  }
  const common: CommonConfiguration = {
    identity: identityOf(reader),
    archive,
    logLevel,
    secrets,
    proxy: {
      httpProxy: reader.values.HTTP_PROXY,
      httpsProxy: reader.values.HTTPS_PROXY,
      noProxy: reader.values.NO_PROXY,
    },
  };
  const present = Object.fromEntries([...need].map((part) => [part, parts[part]]));
  // Every part in `need` is there: `incomplete` was false.
  return { ...common, ...present } as Configuration<Part>;
}

function identityOf({ values, isSet }: PartReader): CommonConfiguration["identity"] {
  const { ARCHIVER_ARCHIVE_ID: archiveId, ARCHIVER_QUEUE: queue } = values;
  return {
    archiveId,
    queueFile: queue?.kind === "sqlite" ? queue.file : undefined,
    isStoreNamed: isSet.has("ARCHIVER_STORE"),
  };
}

/** Two parts may miss the same keys; people need to hear it once. */
function withoutRepeats<Problem extends { readonly name: string }>(problems: readonly Problem[]): Problem[] {
  const said = new Set<string>();
  return problems.filter((problem) => {
    const line = JSON.stringify(problem);
    return !said.has(line) && said.add(line);
  });
}
