import type { ExportTaskListing } from "../ports/platform.ts";
import { readInventoryState } from "../records/inventory-state.ts";
import { readUnnotified } from "../report/notification-state.ts";
import { examineArchive } from "./archive.ts";
import { type CheckResult, GROUPS, type Group, type Verdict, verdictOf } from "./check.ts";
import { lookForDiscover } from "./discovered.ts";
import { type Asked, Interview, notAsked, toldBy } from "./interview.ts";
import { examineNotification } from "./notification.ts";
import { examinePlatform } from "./platform.ts";
import type { DoctorPorts, SettingsRead } from "./ports.ts";
import { examineQueue } from "./queue.ts";
import { recentRuns } from "./recent-runs.ts";
import { examineSchedule } from "./schedule.ts";
import { examineSettings } from "./settings.ts";
import { examineStore, judgeArchive } from "./store.ts";

/** What an examination found. */
export interface Examination {
  readonly verdict: Verdict;
  /** In the order of the groups. */
  readonly checks: readonly CheckResult[];
  /** Groups that were not examined, because the settings cannot be used. */
  readonly left: readonly Group[];
}

/**
 * Examines a deployment. It changes nothing, takes no download slot, and ends within five seconds: places are asked side
 * by side, and no question waits for longer than half of that.
 *
 * @param read what reading the settings found.
 * @param ports missing where the settings cannot be used: then nothing else is examined.
 * @param groups what to examine.
 * @throws only the signal's reason.
 */
export async function examine(
  read: SettingsRead,
  ports: DoctorPorts | undefined,
  groups: ReadonlySet<Group>,
  options: { readonly signal: AbortSignal; readonly clock: DoctorPorts["clock"] },
): Promise<Examination> {
  const interview = new Interview(options.clock, options.signal);
  const found =
    ports === undefined
      ? new Map([["settings" as Group, await examineSettings(read, undefined, interview)]])
      : await examinePlaces(read, ports, groups, interview);
  // What keeps the others from being asked is the finding, whatever was asked for.
  const checks = GROUPS.flatMap((group) =>
    (found.get(group) ?? []).filter(({ status }) => groups.has(group) || status === "broken"),
  );
  const left = ports === undefined ? GROUPS.filter((group) => groups.has(group) && group !== "settings") : [];
  return { verdict: verdictOf(checks), checks, left };
}

type Found = ReadonlyMap<Group, readonly CheckResult[]>;

async function examinePlaces(
  read: SettingsRead,
  ports: DoctorPorts,
  groups: ReadonlySet<Group>,
  interview: Interview,
): Promise<Found> {
  const { clock, scope, isOnMachine, store, settings } = ports;
  const wallMs = () => clock.wallMs();
  const wants = (...any: readonly Group[]) => any.some((group) => groups.has(group));
  const unwanted = async <T>(): Promise<Asked<T>> => notAsked("it was not asked for");
  const why = "the archive cannot be used";
  const isQueueInStore = ports.queue.kind === "store";
  const opening = wants(
    "store",
    "schedule",
    "archive",
    "notification",
    ...(isQueueInStore ? ["queue" as const] : []),
  )
    ? interview.ask((signal) => store.open({ signal }))
    : unwanted<never>();
  // Asked once, whichever groups want it.
  const afterOpening = async <T>(question: (signal: AbortSignal) => Promise<T>) =>
    await interview.askAfter(await opening, why, question);
  const runs = wants("store", "schedule")
    ? afterOpening((signal) => recentRuns(store, scope, wallMs(), { signal }))
    : unwanted<never>();
  const inventory = wants("schedule", "archive")
    ? afterOpening((signal) => readInventoryState(store, scope, { signal }))
    : unwanted<never>();
  const platform = wants("platform", "schedule")
    ? examinePlatform(ports.platform, settings.deletion, interview, wallMs)
    : Promise.resolve({ results: [], list: await unwanted<ExportTaskListing>() });
  const discovered = async () => {
    const list = toldBy((await platform).list);
    return await afterOpening((signal) =>
      lookForDiscover(store, scope, list?.tasks ?? [], { signal, nowMs: wallMs() }),
    );
  };
  const before = async () => ({
    archive: await opening,
    runs: await runs,
    inventory: await inventory,
    discovered: await discovered(),
  });
  const examinations: { readonly [Name in Group]: () => Promise<readonly CheckResult[]> } = {
    settings: () => examineSettings(read, settings, interview),
    platform: async () => (await platform).results,
    store: async () => examineStore(store, await opening, runs, interview),
    queue: () => examineQueue(ports.queue, opening, interview, wallMs),
    schedule: () => examineSchedule(ports.schedule, isOnMachine, before(), interview, wallMs),
    notification: async () =>
      examineNotification(
        isOnMachine,
        await interview.ask((signal) => ports.notification({ signal })),
        (targets) =>
          afterOpening((signal) => readUnnotified(store, scope, { targets, nowMs: wallMs(), signal })),
        interview,
      ),
    archive: async () => examineArchive(store, scope, await opening, inventory, interview, wallMs),
  };
  const found = GROUPS.map(async (group) => {
    if (groups.has(group) || group === "settings") {
      return [group, await examinations[group]()] as const;
    }
    return [group, group === "store" ? judgeArchive(store, await opening) : []] as const;
  });
  return new Map(await Promise.all(found));
}
