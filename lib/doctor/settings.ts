import { broken, type Check, type CheckResult, hurts, judged, well } from "./check.ts";
import { type Asked, type Interview, unanswered } from "./interview.ts";
import type { NamedBySetting, SettingProblem, SettingsPort, SettingsRead } from "./ports.ts";

/** What others than the owner may do with the file, of the bits of its mode. */
const READABLE_BY_EVERYBODY = 0o004;
const WRITABLE_BY_OTHERS = 0o022;

/** Failures of what is named itself; where a store did not give it, the store's own checks say so. */
const ACCUSING: ReadonlySet<string> = new Set([
  "configuration",
  "retention-policy",
  "expected-exports",
  "secret-unavailable",
]);

interface NamedFacts {
  readonly name: string;
  readonly asked: Asked<unknown>;
}

interface SettingsFacts extends SettingsRead {
  /** Missing where the settings cannot be used. */
  readonly deletion?: SettingsPort["deletion"];
  readonly secrets: readonly NamedFacts[];
  readonly documents: readonly NamedFacts[];
}

const CHECKS: readonly Check<SettingsFacts>[] = [
  {
    id: "setting-names",
    documentation: "README.md#settings",
    judge: ({ unknownNames }) =>
      ofProblems(unknownNames, "a setting has a name that the program does not know") ??
      well("every setting has a name that the program knows"),
  },
  {
    id: "setting-values",
    documentation: "README.md#settings",
    judge: ({ others }) =>
      ofProblems(others, "the settings cannot be used") ?? well("the settings can be used"),
  },
  {
    id: "quiet-mode",
    documentation: "docs/architecture.md#12-who-is-told",
    judge: ({ withoutHeartbeat }) =>
      ofProblems(withoutHeartbeat, "messages come on bad nights only, and nothing tells of a missing run"),
  },
  {
    id: "settings-file",
    documentation: "README.md#running-it-for-real-on-one-machine",
    judge: ({ file }) => file && ofMode(file),
  },
  {
    id: "deletion",
    documentation: "docs/deploy.md#the-first-night-and-switching-deletion-on",
    judge: ({ deletion }) =>
      deletion && well(deletion === "never" ? "deletion is off (ARCHIVER_DELETE=never)" : "deletion is on"),
  },
  {
    id: "secrets",
    documentation: "docs/deploy.md#six-settings-one-decision-and-one-secret",
    judge: ({ secrets }) =>
      ofNamed(secrets, "a secret cannot be read") ??
      (secrets.length === 0 ? undefined : well(`readable: the secret of ${namesOf(secrets)}`)),
  },
  {
    id: "documents",
    documentation: "docs/retention.md#the-policy",
    judge: ({ documents }) =>
      ofNamed(documents, "a document that the settings name cannot be used") ??
      (documents.length === 0 ? undefined : well(`understood: the document of ${namesOf(documents)}`)),
  },
];

/** @param port missing where the settings cannot be used. */
export async function examineSettings(
  read: SettingsRead,
  port: SettingsPort | undefined,
  interview: Interview,
): Promise<readonly CheckResult[]> {
  const ask = async ({ name, read: question }: NamedBySetting): Promise<NamedFacts> => ({
    name,
    asked: await interview.ask((signal) => question({ signal })),
  });
  const [secrets, documents] = await Promise.all([
    Promise.all((port?.secrets ?? []).map(ask)),
    Promise.all((port?.documents ?? []).map(ask)),
  ]);
  const deletion = port && { deletion: port.deletion };
  return judged("settings", CHECKS, { ...read, ...deletion, secrets, documents });
}

function ofProblems(problems: readonly SettingProblem[], text: string) {
  const [first] = problems;
  if (first === undefined) {
    return undefined;
  }
  const more = problems.length === 1 ? "" : ` (${problems.length} in all)`;
  const cause = problems.map(({ name, problem }) => `${name}: ${problem}`).join("; ");
  return broken(`${text}${more}`, problems.map(({ fix }) => fix).join(" "), cause);
}

function ofMode({ path, mode }: NonNullable<SettingsRead["file"]>) {
  if (mode === undefined) {
    return well(`read from ${path}`);
  }
  const shown = (mode & 0o777).toString(8).padStart(4, "0");
  const mays = [
    ...((mode & READABLE_BY_EVERYBODY) === 0 ? [] : ["everybody can read the keys in it"]),
    ...((mode & WRITABLE_BY_OTHERS) === 0 ? [] : ["others than its owner can change it"]),
  ];
  return mays.length === 0
    ? well(`read from ${path}, which has mode ${shown}`)
    : hurts(`${path} has mode ${shown}: ${mays.join(", and ")}`, `chmod 600 ${path}`);
}

function ofNamed(named: readonly NamedFacts[], text: string) {
  for (const { name, asked } of named) {
    if (asked.kind === "failed" && ACCUSING.has(asked.failure.code)) {
      return broken(text, asked.failure.hint, withName(name, asked.failure.message));
    }
    if (asked.kind !== "told") {
      return unanswered(name, asked);
    }
  }
  return undefined;
}

function withName(name: string, message: string): string {
  return message.includes(name) ? message : `${name}: ${message}`;
}

function namesOf(named: readonly NamedFacts[]): string {
  return named.map(({ name }) => name).join(" and ");
}
