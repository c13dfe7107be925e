import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { readConfiguration } from "../../config/configuration.ts";
import { ConfigurationError, type ConfigurationProblem } from "../../config/errors.ts";
import type { Environment } from "../../config/section.ts";
import { askWord, askYesNo, type Question, type Talk } from "./talk.ts";

/** Settings by name, as a file of settings has them. */
export type Settings = Readonly<Record<string, string>>;

/** What the guide proposes on this machine. */
export interface Proposals {
  /** Absolute paths. */
  readonly folder: string;
  readonly queueFile: string;
  readonly home: string;
  /** An IANA name. */
  readonly timeZone: string;
}

/** What the guide asks about. Whatever else a file of settings says stays as it is. */
export const ASKED_NAMES: ReadonlySet<string> = new Set([
  "ARCHIVER_IOTDA_ENDPOINT",
  "ARCHIVER_IOTDA_REGION",
  "ARCHIVER_IOTDA_PROJECT_ID",
  "HUAWEICLOUD_SDK_AK",
  "HUAWEICLOUD_SDK_SK",
  "ARCHIVER_STORE",
  "ARCHIVER_STORE_PROFILE",
  "ARCHIVER_STORE_CREDENTIALS",
  "ARCHIVER_STORE_PATH_STYLE",
  "AWS_ENDPOINT_URL_S3",
  "AWS_REGION",
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "ARCHIVER_QUEUE",
  "ARCHIVER_DEAD_LETTER_QUEUE",
  "ARCHIVER_DELETE",
  "ARCHIVER_TIME_ZONE",
]);

/** What is wrong with the settings of a deployment, by the rules that every command goes by. */
export function problemsOf(settings: Environment): readonly ConfigurationProblem[] {
  try {
    readConfiguration(settings, new Set(["platform", "store", "queue"]));
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) {
      return error.problems;
    }
    throw error;
  }
}

/**
 * Asks for the settings of a first deployment, one after the other, each until it can be used.
 *
 * @param before what is set already: it is proposed again.
 * @returns what was answered, and what `before` says that was not asked about.
 * @throws what `talk` throws.
 */
export async function askSettings(talk: Talk, before: Settings, proposals: Proposals): Promise<Settings> {
  const asking = new Asking(talk, before);
  await askPlatform(asking);
  const place = await askWord(
    talk,
    "Where do the copies go: into a folder, to s3 or to obs?",
    ["folder", "s3", "obs"],
    kindOfPlace(before),
  );
  await { folder: askFolder, s3: askBucket, obs: askObs }[place](asking, proposals);
  await askQueue(asking, proposals);
  talk.say("The first nights may archive and prove, and keep each export task on the platform.");
  const isKept = !(await askYesNo(
    talk,
    "Delete an export task once its copy is proved?",
    before.ARCHIVER_DELETE === "after-verify",
  ));
  asking.set("ARCHIVER_DELETE", isKept ? "never" : "after-verify");
  await asking.ask("ARCHIVER_TIME_ZONE", { text: "Time zone of the reports", preset: proposals.timeZone });
  return asking.settings;
}

type Written = (text: string) => string;

/** The settings so far. */
class Asking {
  readonly talk: Talk;
  readonly before: Settings;
  settings: Settings;

  constructor(talk: Talk, before: Settings) {
    this.talk = talk;
    this.before = before;
    this.settings = Object.fromEntries(Object.entries(before).filter(([name]) => !ASKED_NAMES.has(name)));
  }

  set(name: string, value: string): void {
    this.settings = { ...this.settings, [name]: value };
  }

  problemWith(name: string, value?: string): ConfigurationProblem | undefined {
    const settings = value === undefined ? this.settings : { ...this.settings, [name]: value };
    return problemsOf(settings).find((problem) => problem.name === name);
  }

  /** Asks until there is an answer that can be used. @param written makes the setting's text of what was typed. */
  async ask(name: string, question: Question, written: Written = (text) => text): Promise<string> {
    const value = await this.askMaybe(name, question, written);
    if (value !== undefined) {
      return value;
    }
    this.talk.say(`  An answer is needed${question.isSecret === true ? "; it is not shown" : ""}.`);
    return await this.ask(name, question, written);
  }

  /** The same; nothing but Enter leaves the setting out. */
  async askMaybe(
    name: string,
    question: Question,
    written: Written = (text) => text,
  ): Promise<string | undefined> {
    const { [name]: before = question.preset } = this.before;
    for (;;) {
      const text = await this.talk.ask({ ...question, ...(before === undefined ? {} : { preset: before }) });
      if (text === "") {
        return undefined;
      }
      const value = written(text);
      const problem = this.problemWith(name, value);
      if (problem === undefined) {
        this.set(name, value);
        return value;
      }
      this.talk.say(`  ${problem.problem}. ${problem.fix}`);
    }
  }
}

async function askPlatform(asking: Asking): Promise<void> {
  asking.talk.say(
    "IoTDA's address is in the console's instance overview, such as https://iotda.cn-north-4.myhuaweicloud.com.",
  );
  await asking.ask("ARCHIVER_IOTDA_ENDPOINT", { text: "Address of IoTDA" }, (text) =>
    /^[^:/]+\.[^:/]+$/.test(text) ? `https://${text}` : text,
  );
  if (asking.problemWith("ARCHIVER_IOTDA_REGION") !== undefined) {
    asking.talk.say("The address names no region, and requests are signed with one, such as cn-north-4.");
    await asking.ask("ARCHIVER_IOTDA_REGION", { text: "Region" });
  }
  await asking.ask("ARCHIVER_IOTDA_PROJECT_ID", { text: 'Project id (under "My Credentials")' });
  if (asking.settings.ARCHIVER_CREDENTIALS_SECRET === undefined) {
    asking.talk.say("The access key is not shown while you type or paste it.");
    await asking.ask("HUAWEICLOUD_SDK_AK", { text: "Access key id", isSecret: true });
    await asking.ask("HUAWEICLOUD_SDK_SK", { text: "Secret key", isSecret: true });
  }
}

function kindOfPlace({ ARCHIVER_STORE = "file:", ARCHIVER_STORE_CREDENTIALS }: Settings) {
  const bucket = ARCHIVER_STORE_CREDENTIALS === "huawei" ? "obs" : "s3";
  return ARCHIVER_STORE.startsWith("file:") ? "folder" : bucket;
}

async function askFolder(asking: Asking, { folder, home }: Proposals): Promise<void> {
  const question = { text: "Folder of the archive", preset: folder };
  await asking.ask("ARCHIVER_STORE", question, (text) => {
    const path = text.replace(/^~(?=\/)/, home);
    // Another kind of place is refused as the setting is.
    const isUrl = /^[a-z0-9+]+:/.test(path);
    return isUrl ? path.replace(/^(?!file:)/, "file:") : pathToFileURL(resolve(path)).href;
  });
}

async function askBucket(asking: Asking): Promise<void> {
  await askForBucket(asking);
  const endpoint = await asking.askMaybe("AWS_ENDPOINT_URL_S3", {
    text: "Address of the store (Enter alone: AWS itself)",
  });
  if (endpoint !== undefined) {
    const isPath = await askYesNo(asking.talk, "Path-style addressing, as MinIO and Ceph need it?", true);
    asking.set("ARCHIVER_STORE_PATH_STYLE", String(isPath));
  }
  await askAws(asking);
}

async function askForBucket(asking: Asking): Promise<void> {
  await asking.ask("ARCHIVER_STORE", { text: "Bucket, and a prefix if you like (bucket/prefix)" }, (text) =>
    text.includes("://") ? text : `s3://${text}`,
  );
}

/** Region and keys, for S3 and SQS. */
async function askAws(asking: Asking): Promise<void> {
  await asking.ask("AWS_REGION", { text: "Region, such as eu-west-1" });
  asking.talk.say("Without a key here, the AWS SDK finds one: the profile's, or the machine's role.");
  const keyId = await asking.askMaybe("AWS_ACCESS_KEY_ID", {
    text: "AWS access key id (Enter alone: none)",
    isSecret: true,
  });
  if (keyId !== undefined) {
    await asking.ask("AWS_SECRET_ACCESS_KEY", { text: "AWS secret key", isSecret: true });
  }
}

/** OBS takes the access key of the platform, and has an address in each region. */
async function askObs(asking: Asking): Promise<void> {
  await askForBucket(asking);
  const [, ofHost] = /\.([a-z]{2,}-[a-z0-9-]+)\.my/.exec(asking.settings.ARCHIVER_IOTDA_ENDPOINT ?? "") ?? [];
  const preset = asking.settings.ARCHIVER_IOTDA_REGION ?? ofHost;
  const region = await asking.ask("AWS_REGION", {
    text: "Region of the bucket",
    ...(preset === undefined ? {} : { preset }),
  });
  asking.set("AWS_ENDPOINT_URL_S3", `https://obs.${region}.myhuaweicloud.com`);
  asking.set("ARCHIVER_STORE_PROFILE", "obs");
  asking.set("ARCHIVER_STORE_CREDENTIALS", "huawei");
}

async function askQueue(asking: Asking, { queueFile }: Proposals): Promise<void> {
  asking.talk.say("The queue is a file on this machine, store: for one in the archive, or an SQS queue URL.");
  const queue = await asking.ask("ARCHIVER_QUEUE", { text: "Queue", preset: queueFile }, (text) =>
    /^(?:https?|sqlite|store):/.test(text) ? text : `sqlite://${pathToFileURL(resolve(text)).pathname}`,
  );
  if (queue.startsWith("http")) {
    await asking.ask("ARCHIVER_DEAD_LETTER_QUEUE", { text: "URL of its dead-letter queue" });
    if (asking.settings.AWS_REGION === undefined || asking.settings.ARCHIVER_STORE_PROFILE === "obs") {
      await askAws(asking);
    }
  }
}
