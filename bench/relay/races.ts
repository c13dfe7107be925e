import * as v from "valibot";
import { median } from "../statistics.ts";
import { type JobTimes, timesSchema } from "./job.ts";
import {
  AWS_CLI,
  awsCliCommand,
  BARE,
  CURL,
  curlCommand,
  LIB_STORAGE,
  nodeCommand,
  OURS,
  OURS_GENERIC,
  ourCommand,
  RCLONE,
  rcloneCommand,
} from "./peers.ts";
import { type Command, type EndedTree, runTree } from "./process-tree.ts";
import type { Source } from "./source.ts";
import type { Target } from "./target.ts";

/** One run of one peer must end within this; a bench does not wait for ever. */
const RUN_LIMIT_MS = 90_000;

/** What is relayed, how often, by whom. */
export interface Race {
  readonly sizeBytes: number;
  readonly items: number;
  readonly rounds: number;
  /** `store`: the body is fetched before the clock runs. */
  readonly timed: "relay" | "store";
  readonly peers: readonly string[];
}

/** The medians of a peer's rounds. */
export interface RaceFigures {
  readonly peer: string;
  readonly sizeBytes: number;
  readonly items: number;
  /** `relay`: the whole life of every process. `store`: what storing took. Proof not counted. */
  readonly workMs: number;
  /** Each round's, in their order. */
  readonly roundsMs: readonly number[];
  readonly proofMs: number;
  readonly cpuMs: number;
  readonly peakResidentBytes: number;
}

interface Lap {
  readonly workMs: number;
  readonly proofMs: number;
  readonly cpuMs: number;
  readonly peakResidentBytes: number;
}

/** What the peers write to and read from. */
export interface Course {
  readonly target: Target;
  readonly source: Source;
}

/**
 * Every peer once per round, in turn, so that what else the machine does meets all of them alike; each round begins
 * with another one, after a lap that is not counted: source and store are then as warm for the first as for the last.
 */
export async function runRace(course: Course, race: Race): Promise<readonly RaceFigures[]> {
  const name = `race-${race.sizeBytes}-${race.timed}`;
  await runLap(course, race, race.peers.at(-1) ?? OURS, `${name}/warm-up`);
  const laps = new Map<string, Lap[]>(race.peers.map((peer) => [peer, []]));
  for (let round = 0; round < race.rounds; round += 1) {
    const first = round % race.peers.length;
    for (const peer of [...race.peers.slice(first), ...race.peers.slice(0, first)]) {
      const keyPrefix = `${name}/${round}/${race.peers.indexOf(peer)}`;
      laps.get(peer)?.push(await runLap(course, race, peer, keyPrefix));
    }
  }
  return [...laps].map(([peer, own]) => figuresOf(race, peer, own));
}

function figuresOf({ sizeBytes, items }: Race, peer: string, laps: readonly Lap[]): RaceFigures {
  const middle = (pick: (lap: Lap) => number): number => median(laps.map(pick));
  return {
    peer,
    sizeBytes,
    items,
    workMs: middle(({ workMs }) => workMs),
    roundsMs: laps.map(({ workMs }) => workMs),
    proofMs: middle(({ proofMs }) => proofMs),
    cpuMs: middle(({ cpuMs }) => cpuMs),
    peakResidentBytes: Math.max(...laps.map(({ peakResidentBytes }) => peakResidentBytes)),
  };
}

async function runLap(course: Course, race: Race, peer: string, keyPrefix: string): Promise<Lap> {
  const commands = commandsOf(course, race, peer, keyPrefix);
  let sum: Lap = { workMs: 0, proofMs: 0, cpuMs: 0, peakResidentBytes: 0 };
  for (const command of commands) {
    const ended = await runTree(command, RUN_LIMIT_MS);
    sum = added(sum, ended, timesOf(peer, race.timed, ended));
  }
  await assertStored(course.target, race, peer, keyPrefix);
  return sum;
}

function added(sum: Lap, ended: EndedTree, times: JobTimes): Lap {
  return {
    workMs: sum.workMs + times.workMs,
    proofMs: sum.proofMs + times.proofMs,
    cpuMs: sum.cpuMs + ended.cpuMs,
    peakResidentBytes: Math.max(sum.peakResidentBytes, ended.peakResidentBytes),
  };
}

/** What a run counts: all of the process but the proof, or, where storing alone is timed, what the program says. @throws Error when it failed. */
function timesOf(
  peer: string,
  timed: Race["timed"],
  { exitCode, stdout, stderr, wallMs }: EndedTree,
): JobTimes {
  if (exitCode !== 0) {
    throw new Error(`${peer} ended with ${exitCode ?? "a kill after its time was up"}:\n${stderr}`);
  }
  if (!isNodePeer(peer)) {
    return { workMs: wallMs, proofMs: 0 };
  }
  const times = v.parse(v.pipe(v.string(), v.parseJson(), timesSchema), stdout);
  return timed === "store" ? times : { workMs: wallMs - times.proofMs, proofMs: times.proofMs };
}

async function assertStored(target: Target, race: Race, peer: string, keyPrefix: string): Promise<void> {
  const sizes = await target.sizesUnder(keyPrefix);
  if (sizes.length !== race.items || sizes.some((sizeBytes) => sizeBytes !== race.sizeBytes)) {
    throw new Error(`${peer} stored ${sizes.length} objects instead of ${race.items}, or wrong sizes`);
  }
}

function isNodePeer(peer: string): boolean {
  return peer === OURS || peer === OURS_GENERIC || peer === LIB_STORAGE || peer === BARE;
}

/** One command for all items, or one per item for a program that moves one file per start. */
function commandsOf(
  { target, source }: Course,
  race: Race,
  peer: string,
  keyPrefix: string,
): readonly Command[] {
  const { sizeBytes, items, timed } = race;
  const url = source.wholeUrl(sizeBytes);
  const job = { body: { kind: "http", url }, keyPrefix, items, timed } as const;
  const transfers = Array.from({ length: items }, (_, item) => ({
    url,
    key: `${keyPrefix}/${item}.zip`,
    sizeBytes,
  }));
  switch (peer) {
    case OURS:
      return [ourCommand(target, "aws", job)];
    case OURS_GENERIC:
      // Read back only where the bytes are kept: `measureReadBack`.
      return [ourCommand(target, "generic", { ...job, proof: false })];
    case LIB_STORAGE:
      return [nodeCommand(target, "lib-storage.ts", job)];
    case BARE:
      return [nodeCommand(target, "put-object.ts", job)];
    case RCLONE:
      return transfers.map((transfer) => rcloneCommand(target, transfer));
    case AWS_CLI:
      return transfers.map((transfer) => awsCliCommand(target, transfer));
    case CURL:
      return transfers.map((transfer) => curlCommand(target, transfer));
    default:
      throw new Error(`no such peer: ${peer}`);
  }
}

/** Our writer through `generic` into a server that keeps the bytes: what reading one object back costs beside sending it. */
export async function measureReadBack(course: Course, sizeBytes: number): Promise<JobTimes> {
  const keyPrefix = `read-back-${sizeBytes}`;
  const body = { kind: "http", url: course.source.wholeUrl(sizeBytes) } as const;
  const command = ourCommand(course.target, "generic", { body, keyPrefix, items: 1, timed: "relay" });
  return timesOf(OURS_GENERIC, "relay", await runTree(command, RUN_LIMIT_MS));
}
