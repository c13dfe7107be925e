import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { TestContext } from "vitest";
import type { SandboxControl } from "../../sandbox/start.ts";
import { mountTinyDisk } from "../contract/tiny-disk.ts";
import { LAB_ARCHIVE_ID, markFolder } from "./archive-marker.ts";
import { openCloudLab } from "./cloud-lab.ts";
import { startArchiver } from "./command-line.ts";
import { finishedExports, openLab } from "./lab.ts";

const OTHER_ARCHIVE_ID = "0e6b1d0c-7f1c-4f0e-9a55-9a1f5f1c8d11";
export const EVENT_SECRET = "0123456789abcdef-secret";
const POLICY = { schemaVersion: 1, rules: [], default: { keepDays: 30, lock: "none" } };
const FOR_ALL = { ARCHIVER_EVENT_SECRET: EVENT_SECRET, ARCHIVER_RETENTION_POLICY: JSON.stringify(POLICY) };
const QUEUED = "export-01";

/** A place that is not the archive which was worked with before; two finished exports, one of them queued. */
export interface WrongPlace {
  readonly code: "no-archive" | "another-archive";
  readonly settings: Readonly<Record<string, string>>;
  readonly control: SandboxControl;
  /** What lies at the place and in the queue, as two looks can be compared by. */
  look(): Promise<unknown>;
}

type OpenPlace = (context: TestContext) => Promise<WrongPlace>;

/** How a folder can be the wrong place. */
export const FOLDER_PLACES: Readonly<Record<string, OpenPlace>> = {
  emptied: (context) =>
    folderPlace(context, "no-archive", async (folder) => {
      const names = await readdir(folder);
      await Promise.all(names.map((name) => rm(join(folder, name), { recursive: true })));
    }),
  swapped: (context) =>
    folderPlace(context, "another-archive", (folder) => markFolder(folder, OTHER_ARCHIVE_ID)),
  "gone with its folder": (context) =>
    folderPlace(context, "no-archive", (folder) => rm(folder, { recursive: true })),
  unmounted: async (context) => {
    const disk = await mountTinyDisk(context, "64m");
    return await folderPlace(context, "no-archive", async () => disk.unmount(), disk.folder);
  },
};

async function folderPlace(
  context: TestContext,
  code: WrongPlace["code"],
  goWrong: (folder: string) => Promise<void>,
  at?: string,
): Promise<WrongPlace> {
  const lab = await openLab(context);
  const folder = at ?? lab.store.path;
  await markFolder(folder);
  const settings = lab.settings({ ...FOR_ALL, ARCHIVER_STORE: pathToFileURL(folder).href });
  // So that the queue remembers the archive.
  const { exitCode, stderr } = await startArchiver(["init"], settings).ended;
  if (exitCode !== 0) {
    throw new Error(`the archive could not be used while it was right: ${stderr}`);
  }
  await lab.control.addTasks(finishedExports(2));
  lab.queue.put(QUEUED);
  await goWrong(folder);
  const look = async () => ({
    beside: (await readdir(lab.folder)).filter((name) => !name.startsWith("queue.db")),
    stored: await readdir(folder, { recursive: true }).catch(() => "not there"),
    queued: lab.queue.messages(),
    letters: lab.queue.letters(),
  });
  return { code, settings, control: lab.control, look };
}

/** How a bucket can be the wrong place. Queues of SQS remember no archive. */
export const BUCKET_PLACES: Readonly<Record<string, OpenPlace>> = {
  emptied: (context) => bucketPlace(context, { code: "no-archive", begun: false, expected: LAB_ARCHIVE_ID }),
  "emptied, where no id is set": (context) => bucketPlace(context, { code: "no-archive", begun: false }),
  swapped: (context) =>
    bucketPlace(context, { code: "another-archive", begun: true, expected: OTHER_ARCHIVE_ID }),
  "mistyped prefix": (context) =>
    bucketPlace(context, { code: "no-archive", begun: true, expected: LAB_ARCHIVE_ID, typo: "-x" }),
  "mistyped bucket": (context) =>
    bucketPlace(context, { code: "no-archive", begun: true, store: "s3://no-such-bucket/nightly" }),
};

interface BucketPlace {
  readonly code: WrongPlace["code"];
  readonly begun: boolean;
  readonly expected?: string;
  readonly typo?: string;
  readonly store?: string;
}

async function bucketPlace(
  context: TestContext,
  { code, begun, expected, typo = "", store }: BucketPlace,
): Promise<WrongPlace> {
  const lab = await openCloudLab(context, {
    intervalMs: 200,
    s3: { profile: "aws" },
    storeProfile: "aws",
    longestPollSeconds: 1,
    begun,
  });
  await lab.control.addTasks(finishedExports(2));
  lab.queue.send(QUEUED);
  const settings = {
    ...lab.settings,
    ...lab.awsKeys,
    ...FOR_ALL,
    ARCHIVER_STORE: store ?? `${lab.bucket.url}${typo}`,
    ...(expected === undefined ? {} : { ARCHIVER_ARCHIVE_ID: expected }),
  };
  const look = async () => ({
    stored: (await lab.bucket.server.control.state()).objects,
    queued: lab.queue.messages(),
    letters: lab.queue.letters(),
  });
  return { code, settings, control: lab.control, look };
}
