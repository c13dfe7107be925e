import { type BatteryCase, batteryCases } from "./battery-cases.ts";
import {
  AWS_CLI,
  awsCliCommand,
  LIB_STORAGE,
  nodeCommand,
  OURS,
  ourCommand,
  RCLONE,
  rcloneCommand,
  rcloneRcatCommand,
} from "./peers.ts";
import { type Command, runTree } from "./process-tree.ts";
import type { Course } from "./races.ts";

/** Whoever has not ended by then hangs. The longest case takes about a second. */
export const HANG_LIMIT_MS = 12_000;
/** How long a program lives on after it said that it failed, for what goes on behind it. */
export const LINGER_MS = 3_000;

/** What became of one case: what was said, and what the server holds after the program is gone. */
export interface BatteryVerdict {
  readonly text: string;
  /** Nothing stored, nothing left open, an error reported in time; of a whole body, all of it and success. */
  readonly isRight: boolean;
}

export interface BatteryRow {
  readonly name: string;
  /** `undefined`: not played, because the program has no such way in or is not installed. */
  readonly verdicts: ReadonlyMap<string, BatteryVerdict | undefined>;
}

/** Plays every case with every peer that can. */
export async function runBattery(course: Course, peers: readonly string[]): Promise<readonly BatteryRow[]> {
  const rows: BatteryRow[] = [];
  for (const [number, played] of batteryCases(course.source).entries()) {
    const verdicts = new Map<string, BatteryVerdict | undefined>();
    for (const [column, peer] of peers.entries()) {
      const keyPrefix = `battery/${number}/${column}`;
      const command = commandOf(course, played, peer, keyPrefix);
      verdicts.set(peer, command === undefined ? undefined : await judge(course, played, command, keyPrefix));
    }
    rows.push({ name: played.name, verdicts });
  }
  return rows;
}

async function judge(
  { target }: Course,
  { isWhole, wholeBytes }: BatteryCase,
  command: Command,
  keyPrefix: string,
): Promise<BatteryVerdict> {
  const { exitCode } = await runTree(command, HANG_LIMIT_MS);
  const [storedBytes] = await target.sizesUnder(keyPrefix);
  const openUploads = await target.openUploadsUnder(keyPrefix);
  const said = exitCode === undefined ? "hangs" : exitCode === 0 ? "success" : "error";
  const stored = storedBytes === undefined ? "nothing stored" : `${storedBytes / 1_000_000} MB stored`;
  const left = openUploads === 0 ? [] : ["upload left open"];
  return {
    text: [said, stored, ...left].join(", "),
    isRight:
      openUploads === 0 &&
      (isWhole === true
        ? said === "success" && storedBytes === wholeBytes
        : said === "error" && storedBytes === undefined),
  };
}

function commandOf(
  { target }: Course,
  { body, wholeBytes, abortAfterMs }: BatteryCase,
  peer: string,
  keyPrefix: string,
): Command | undefined {
  const ending = abortAfterMs === undefined ? {} : { abortAfterMs, lingerMs: LINGER_MS };
  const job = { body, keyPrefix, items: 1, timed: "relay", ...ending } as const;
  const key = `${keyPrefix}/0.zip`;
  switch (peer) {
    case OURS:
      return ourCommand(target, "aws", job);
    case LIB_STORAGE:
      return nodeCommand(target, "lib-storage.ts", job);
    case RCLONE:
      // Neither rclone nor the AWS CLI can be told to stop but by a signal.
      if (abortAfterMs !== undefined) {
        return undefined;
      }
      return body.kind === "http"
        ? rcloneCommand(target, { url: body.url, key, sizeBytes: wholeBytes })
        : rcloneRcatCommand(target, { key, ...body });
    case AWS_CLI:
      return body.kind === "http" && abortAfterMs === undefined
        ? awsCliCommand(target, { url: body.url, key, sizeBytes: wholeBytes })
        : undefined;
    default:
      throw new Error(`no such peer: ${peer}`);
  }
}
