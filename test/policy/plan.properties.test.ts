import { describe, expect, test } from "vitest";
import { doesArchive, doesDelete, type Plan, type PlanItem } from "../../lib/plan/plan.ts";
import { PlannedWork } from "../../lib/plan/planned-work.ts";
import { effortOf } from "../simulation/effort.ts";
import type { Site } from "../world/faults.ts";
import { idsOf } from "../world/queue-state.ts";
import { type Done, PlanWorld } from "./plan-worlds.ts";

const { planWorlds } = effortOf(process.env);
const PER_TEST = 250;
const FIRST_SEEDS = Array.from(
  { length: Math.ceil(planWorlds / PER_TEST) },
  (_, index) => 1 + index * PER_TEST,
);

/** All that a plan may ask of the world. */
const READS: ReadonlySet<Site> = new Set([
  "platform.listExportTasks",
  "store.head",
  "store.read",
  "store.list",
  "store.getDocument",
  "store.readClockMs",
]);

/** Slots follow each other in the run as in the plan; how long the run's own calls take is not in the plan. */
const SLOT_TOLERANCE_MS = 20_000;

/** What holds before the plan is made. */
interface Before {
  /** What to add to a wall time for the moment of an effect. */
  readonly originMs: number;
  /** The exports that the queue has a message for, which no plan reads. */
  readonly queued: ReadonlySet<string>;
}

/**
 * What the run did that the plan does not say, and what the plan says that the run did not do.
 *
 * An export whose message was in the queue before the plan may come before its time, and others then come later by its slot.
 */
function differences(
  { items, totals, downloadIntervalMs }: Plan,
  { report, events, effects }: Done,
  { originMs, queued }: Before,
): string[] {
  const itemIds = (wanted: (item: PlanItem) => boolean) =>
    items.filter(wanted).map(({ exportTaskId }) => exportTaskId);
  const told = (kind: "archived" | "deleted") =>
    events.flatMap((event) => (event.kind === kind ? [event.exportTaskId] : []));
  const called = (site: Site) =>
    effects
      .filter((effect) => effect.site === site && effect.outcome === "done")
      .map(({ subject }) => subject);
  const downloads = called("platform.showExportTask");
  const inOrder = itemIds(({ exportTaskId }) => !queued.has(exportTaskId));
  const planned = {
    archived: itemIds(({ action }) => doesArchive(action)).toSorted(),
    deleted: itemIds(({ action }) => doesDelete(action)).toSorted(),
    downloads: totals.downloads,
    givenUp: itemIds(({ action }) => action === "give-up").toSorted(),
    downloadsInOrder: inOrder.filter((id) => downloads.includes(id)),
  };
  const done = {
    archived: told("archived").toSorted(),
    deleted: called("platform.deleteExportTask").toSorted(),
    downloads: downloads.length,
    givenUp: report.tasks
      .filter(({ outcome }) => outcome === "dead-lettered")
      .map(({ exportTaskId }) => exportTaskId)
      .toSorted(),
    downloadsInOrder: downloads.filter((id) => !queued.has(id)),
  };
  const effectsDiffer = Object.entries(planned).flatMap(([what, ids]) => {
    const inRun = done[what as keyof typeof done];
    return JSON.stringify(ids) === JSON.stringify(inRun)
      ? []
      : [`${what}: plan ${JSON.stringify(ids)}, run ${JSON.stringify(inRun)}`];
  });
  return [
    ...effectsDiffer,
    ...otherReasons(items, report.tasks),
    ...otherTimes(items, effects, { originMs, queued }, downloadIntervalMs),
  ];
}

function otherReasons(items: readonly PlanItem[], tasks: Done["report"]["tasks"]): string[] {
  const last = new Map(tasks.map((entry) => [entry.exportTaskId, entry]));
  return items.flatMap(({ exportTaskId, action, reason }) => {
    const entry = last.get(exportTaskId);
    return entry === undefined || doesDelete(action) || action === "left-alone" || entry.reason === reason
      ? []
      : [`${exportTaskId}: plan ${action} ${reason}, run ${entry.outcome} ${entry.reason}`];
  });
}

function otherTimes(
  items: readonly PlanItem[],
  effects: Done["effects"],
  { originMs, queued }: Before,
  downloadIntervalMs: number,
): string[] {
  const starts = new Map(
    effects
      .filter(({ site }) => site === "platform.showExportTask")
      .map(({ subject, atMs }) => [subject, atMs]),
  );
  return items.flatMap(({ exportTaskId, action, at = "" }) => {
    const startMs = starts.get(exportTaskId);
    const offMs = startMs === undefined ? 0 : startMs - originMs - Date.parse(at);
    const mayBeEarly = queued.has(exportTaskId);
    const isInTime =
      (mayBeEarly || offMs >= -SLOT_TOLERANCE_MS) &&
      offMs <= SLOT_TOLERANCE_MS + queued.size * downloadIntervalMs;
    return startMs === undefined || !doesArchive(action) || isInTime
      ? []
      : [`${exportTaskId}: its slot is ${offMs} ms later than planned`];
  });
}

async function problemsOf(seed: number): Promise<readonly string[]> {
  const scene = new PlanWorld(seed);
  await scene.prepare();
  const { clock } = scene.world;
  const originMs = clock.monotonicMs() - clock.wallMs();
  const queued = idsOf(scene.world.queue.messages);
  const { plan, effects } = await scene.plan();
  const permission = seed % 2 === 0 ? { permission: new PlannedWork(plan) } : {};
  const writes = effects
    .filter(({ site }) => !READS.has(site))
    .map(({ site, subject }) => `${site} ${subject}`);
  const done = await scene.run(permission);
  return [...writes, ...differences(plan, done, { originMs, queued })].map(
    (problem) => `seed ${seed}: ${problem}`,
  );
}

/** What the plan is about, as it is when the run begins. */
interface Beginning {
  readonly revisions: ReadonlyMap<string, string>;
  readonly held: readonly string[];
}

/** What the run did that the plan does not say, or that it says of another state of things. */
function excesses({ items }: Plan, { events, effects, report }: Done, beginning: Beginning): string[] {
  const planned = new Map(items.map((item) => [item.exportTaskId, item]));
  const last = new Map(report.tasks.map(({ exportTaskId, reason }) => [exportTaskId, reason]));
  const isSame = (item: PlanItem | undefined, id: string) =>
    item?.revision === beginning.revisions.get(id) && item?.held === beginning.held.includes(id);
  const check = (what: string, ids: readonly string[], isPlanned: (item: PlanItem) => boolean) =>
    ids.flatMap((id) => {
      const item = planned.get(id);
      return item !== undefined && isPlanned(item) && isSame(item, id)
        ? []
        : [`${what} ${id}, planned: ${item?.action}`];
    });
  const called = (site: Site) =>
    effects
      .filter((effect) => effect.site === site && effect.outcome === "done")
      .map(({ subject }) => subject);
  const archived = events.flatMap((event) => (event.kind === "archived" ? [event.exportTaskId] : []));
  // One whose attempts are used up is given up as always: neither the export nor a copy is changed by that.
  const givenUp = report.tasks.filter(
    ({ outcome, reason }) => outcome === "dead-lettered" && reason !== "max-attempts",
  );
  const unnamed = [...last].filter(([id, reason]) => {
    const item = planned.get(id);
    const expected = item === undefined ? "not-in-plan" : "changed-since-plan";
    return beginning.revisions.has(id) && !isSame(item, id) && reason !== expected;
  });
  return [
    ...check("downloaded", called("platform.showExportTask"), ({ action }) => doesArchive(action)),
    ...check("archived", archived, ({ action }) => doesArchive(action)),
    ...check("deleted", called("platform.deleteExportTask"), ({ action }) => doesDelete(action)),
    ...check(
      "gave up",
      givenUp.map(({ exportTaskId }) => exportTaskId),
      ({ action }) => action === "give-up",
    ),
    ...unnamed.map(([id, reason]) => `${id} is another than planned, and the run says ${reason}`),
  ];
}

async function excessesOf(seed: number): Promise<readonly string[]> {
  const scene = new PlanWorld(seed);
  await scene.prepare();
  const { plan } = await scene.plan();
  for (let count = (seed % 4) + 1; count > 0; count -= 1) {
    await scene.change();
  }
  const beginning = await scene.look();
  // Deletion may be switched on after the plan: that allows no more than the plan does.
  const done = await scene.run({ deletion: "after-verify", permission: new PlannedWork(plan) });
  return excesses(plan, done, beginning).map((problem) => `seed ${seed}: ${problem}`);
}

describe(`${planWorlds} archives in any state`, () => {
  test.each(FIRST_SEEDS)(
    "the plan only reads, and the run that follows does exactly the plan (from seed %d)",
    { timeout: 600_000 },
    async (first) => {
      const problems: string[] = [];
      for (let seed = first; seed < Math.min(first + PER_TEST, planWorlds + 1); seed += 1) {
        problems.push(...(await problemsOf(seed)));
      }
      expect(problems).toEqual([]);
    },
  );

  test.each(FIRST_SEEDS)(
    "where the world moves on, a run with the plan does at most the plan, and names what has changed (from seed %d)",
    { timeout: 600_000 },
    async (first) => {
      const problems: string[] = [];
      for (let seed = first; seed < Math.min(first + PER_TEST, planWorlds + 1); seed += 1) {
        problems.push(...(await excessesOf(seed)));
      }
      expect(problems).toEqual([]);
    },
  );
});
