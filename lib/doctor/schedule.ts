import type { OpenedArchive } from "../identity/open-archive.ts";
import { type InventoryState, isRecent } from "../records/inventory-state.ts";
import { broken, type Check, type CheckResult, type Finding, hurts, judged, unknown, well } from "./check.ts";
import { type Discovered, LATE_MS } from "./discovered.ts";
import { type Asked, type Interview, toldBy, unanswered } from "./interview.ts";
import type { SchedulePort } from "./ports.ts";
import type { RecentRuns } from "./recent-runs.ts";
import { nodePathsOf, settingsFileOf, type TimerEntry, timerEntries } from "./timers.ts";
import { inHours } from "./words.ts";

/** An entry that starts archive runs, and whether it can. */
interface CheckedEntry extends TimerEntry {
  readonly hasNode: boolean;
  /** The file of settings that it names and that is not there. */
  readonly missingFile: string | undefined;
}

export interface ScheduleFacts {
  readonly isOnMachine: boolean;
  readonly archive: Asked<OpenedArchive>;
  readonly runs: Asked<RecentRuns>;
  readonly discovered: Asked<Discovered>;
  readonly inventory: Asked<InventoryState | undefined>;
  readonly entries: Asked<readonly CheckedEntry[]>;
  readonly nowMs: number;
}

const CHECKS: readonly Check<ScheduleFacts>[] = [
  { id: "last-run", documentation: "docs/runbook.md#no-completed-run", judge: ofLastRun },
  { id: "last-failure", documentation: "docs/runbook.md#system-failures", judge: ofLastFailure },
  { id: "last-discover", documentation: "docs/runbook.md#oldest-unarchived", judge: ofDiscover },
  { id: "last-inventory", documentation: "docs/finding.md#what-the-answers-rest-on", judge: ofInventory },
  { id: "timer", documentation: "README.md#running-it-for-real-on-one-machine", judge: ofTimer },
  {
    id: "timer-node",
    documentation: "examples/README.md",
    judge: ({ entries }) => {
      const found = toldBy(entries) ?? [];
      const without = found.find(({ hasNode }) => !hasNode);
      if (without !== undefined) {
        return broken(
          `${without.path} starts runs without Node: it is not in ${without.folders.join(":")}`,
          `Add the folder of node to PATH in ${without.path}.`,
        );
      }
      return found.length === 0 ? undefined : well("the timer finds Node");
    },
  },
  {
    id: "timer-settings",
    documentation: "examples/README.md",
    judge: ({ entries }) => {
      const found = toldBy(entries) ?? [];
      const without = found.find(({ missingFile }) => missingFile !== undefined);
      return without === undefined
        ? undefined
        : broken(
            `${without.path} names a file of settings that is not there: ${without.missingFile}`,
            `Correct --config in ${without.path}, or put the file there.`,
          );
    },
  },
];

/** What the other groups have asked already. */
type AskedBefore = Pick<ScheduleFacts, "archive" | "runs" | "discovered" | "inventory">;

/** Looks for what starts the runs, and for their traces. Of cron and systemd it reads files alone. */
export async function examineSchedule(
  port: SchedulePort,
  isOnMachine: boolean,
  asked: Promise<AskedBefore>,
  interview: Interview,
  wallMs: () => number,
): Promise<readonly CheckResult[]> {
  const [before, entries] = await Promise.all([
    asked,
    interview.ask(async (signal) =>
      isOnMachine
        ? await Promise.all(timerEntries(await port.files({ signal })).map((one) => checked(one, port)))
        : [],
    ),
  ]);
  return judged("schedule", CHECKS, { ...before, isOnMachine, entries, nowMs: wallMs() });
}

async function checked(entry: TimerEntry, port: SchedulePort): Promise<CheckedEntry> {
  const named = settingsFileOf(entry);
  const [nodes, isThere] = await Promise.all([
    Promise.all(nodePathsOf(entry).map((path) => port.isProgram(path))),
    named?.startsWith("/") === true ? port.isFile(named) : true,
  ]);
  return { ...entry, hasNode: nodes.includes(true), missingFile: isThere ? undefined : named };
}

/** How long the last run that ended well is over; `undefined` where none is known. */
function sinceLastRun({ runs, nowMs }: Pick<ScheduleFacts, "runs" | "nowMs">): number | undefined {
  const good = toldBy(runs)?.runs.find(
    ({ stopReason }) => stopReason === "drained" || stopReason === "time-budget",
  );
  return good && nowMs - Date.parse(good.endedAt);
}

function isNew({ archive, nowMs }: ScheduleFacts): boolean {
  const opened = toldBy(archive);
  const createdAt = opened?.marker?.createdAt;
  return opened?.isEmpty === true || (createdAt !== undefined && nowMs - Date.parse(createdAt) < LATE_MS);
}

function ofLastRun(facts: ScheduleFacts): Finding {
  const { runs } = facts;
  if (runs.kind !== "told") {
    return unanswered("the last run", runs);
  }
  const sinceMs = sinceLastRun(facts);
  const remedy = "Look at the schedule, and start a run: iotda-archiver run";
  if (sinceMs !== undefined) {
    return sinceMs > LATE_MS
      ? hurts(`no run has ended well for ${inHours(sinceMs)}`, remedy)
      : well(`the last run that ended well was over ${inHours(sinceMs)} ago`);
  }
  return isNew(facts)
    ? unknown("the last run: there was none yet, and the archive is new")
    : hurts(`no run has ended well for ${runs.value.days} d or more`, remedy);
}

function ofLastFailure({ runs }: ScheduleFacts): Finding | undefined {
  const last = toldBy(runs)?.runs[0];
  return last?.stopReason === "system-failure"
    ? hurts(
        "a system failure stopped the last run",
        last.failure?.hint ?? "iotda-archiver status",
        last.failure === undefined ? undefined : `${last.failure.code}: ${last.failure.message}`,
      )
    : undefined;
}

function ofDiscover({ discovered, nowMs }: ScheduleFacts): Finding {
  if (discovered.kind !== "told") {
    return unanswered("the last discover", discovered);
  }
  const { lastMs, missed } = discovered.value;
  if (missed !== undefined) {
    return hurts(
      `no discover has enqueued anything since ${missed.exportTaskId} was made ${inHours(nowMs - missed.madeAtMs)} ago`,
      "Look at the timer of discover, and start one: iotda-archiver discover",
    );
  }
  return lastMs === undefined
    ? unknown("the last discover: it has enqueued nothing yet")
    : well(`discover last enqueued an export ${inHours(nowMs - lastMs)} ago`);
}

function ofInventory(facts: ScheduleFacts): Finding {
  const { inventory, nowMs } = facts;
  if (inventory.kind !== "told") {
    return unanswered("the last inventory", inventory);
  }
  const remedy = "Take one each day: iotda-archiver inventory";
  if (inventory.value === undefined) {
    return isNew(facts)
      ? unknown("the last inventory: there was none yet, and the archive is new")
      : hurts("no inventory was taken: damage of copies would stay unseen", remedy);
  }
  const ageMs = nowMs - Date.parse(inventory.value.startedAt);
  return isRecent(inventory.value, nowMs)
    ? well(`the last inventory began ${inHours(ageMs)} ago`)
    : hurts(`the last inventory began ${inHours(ageMs)} ago; damage of copies would stay unseen`, remedy);
}

function ofTimer(facts: ScheduleFacts): Finding | undefined {
  const { isOnMachine, entries } = facts;
  if (!isOnMachine) {
    return undefined;
  }
  if (entries.kind !== "told") {
    return unanswered("cron and systemd", entries);
  }
  const [first] = entries.value;
  if (first !== undefined) {
    return well(`${first.by} starts runs (${first.path})`);
  }
  const sinceMs = sinceLastRun(facts);
  // Who looks may not see the other users' entries; runs that come all the same are started by one of them.
  return sinceMs !== undefined && sinceMs <= LATE_MS
    ? unknown("what starts the runs: not known, because this user sees no entry of cron or systemd")
    : hurts(
        "neither cron nor systemd starts runs, as far as this user sees",
        "Put examples/iotda-archiver.cron into /etc/cron.d, or the units beside it into /etc/systemd/system.",
      );
}
