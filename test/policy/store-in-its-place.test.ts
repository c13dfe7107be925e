import { expect, test } from "vitest";
import type { ArchiveEvent } from "../../lib/archive/events.ts";
import type { ArchiveSettings } from "../../lib/archive/settings.ts";
import { ARCHIVE_MARKER_KEY, STORE_STATE_KEY } from "../../lib/domain/key-layout.ts";
import type { RunReport } from "../../lib/records/run-report.ts";
import { archiveRun, archiveStoreOf } from "../world/archive-run.ts";
import { FOREIGN_PLACES, type ForeignPlace, HOME_ID, plantMarker } from "../world/places.ts";
import { storeError } from "../world/port-errors.ts";
import { World } from "../world/world.ts";
import type { NewWorldTask } from "../world/world-task.ts";
import { findWrongPlaces } from "../world/wrong-places.ts";

const IDENTITY = { archiveId: HOME_ID, hasMemory: false, deletion: "after-verify" } as const;
const CODES = { empty: "no-archive", another: "another-archive", "from-before": "no-archive" } as const;

/** A world with one finished export, whose archive the settings name. */
class Night {
  readonly world = new World();
  readonly exportTaskId: string;
  /** The codes of what the runs warned of. */
  readonly warnings: string[] = [];
  #runs = 0;

  constructor(task: NewWorldTask = {}) {
    plantMarker(this.world.store, HOME_ID);
    this.exportTaskId = this.world.platform.addTask(task);
    this.world.queue.send(this.exportTaskId);
  }

  /** Right after the next run has opened the archive. */
  swapDuringRun(place: ForeignPlace): void {
    const { faults, places } = this.world;
    faults.plant({
      site: "store.getDocument",
      match: ({ subject }) => subject === STORE_STATE_KEY,
      form: "race",
      act: () => places.mount(place),
    });
  }

  /** Once the work on the export is done. */
  swapAtTheEnd(place: ForeignPlace): void {
    const act = () => this.world.places.mount(place);
    this.world.faults.plant({ site: "queue.acknowledge", form: "race", act });
  }

  async run(settings: Partial<ArchiveSettings> = {}): Promise<RunReport> {
    this.#runs += 1;
    const runner = this.world.startRunner(`run-${this.#runs}`);
    const store = archiveStoreOf(this.world, runner, IDENTITY);
    const ending = await this.world.runAlone(runner, () =>
      archiveRun(this.world, runner, { store, settings, observe: (event) => this.#hear(event) }),
    );
    if (ending.kind === "crashed") {
      throw new Error("the run died");
    }
    return ending.value;
  }

  #hear(event: ArchiveEvent): void {
    if (event.kind === "warning") {
      this.warnings.push(event.code);
    }
  }
}

test.each(FOREIGN_PLACES)("a run that finds %s begins nothing, and the next one goes on", async (place) => {
  const night = new Night();
  const { places, platform, queue } = night.world;
  places.mount(place);
  const report = await night.run();
  expect(report).toMatchObject({ stopReason: "system-failure", failure: { code: CODES[place] } });
  expect(queue.messages.map(({ receiveCount }) => receiveCount)).toEqual([0]);
  // The failure says it all.
  expect(night.warnings).toEqual([]);
  places.mount("home");
  await night.run();
  expect(platform.has(night.exportTaskId)).toBe(false);
  expect(findWrongPlaces(night.world, { home: "marked", deletion: "after-verify", isSet: true })).toEqual([]);
});

test.each(FOREIGN_PLACES)("what %s lacks, put there during a run, gives nothing up", async (place) => {
  const night = new Night({ status: "Failed" });
  night.swapDuringRun(place);
  const report = await night.run();
  expect(report).toMatchObject({ stopReason: "system-failure", failure: { code: CODES[place] } });
  expect(night.world.queue.deadLetters).toEqual([]);
  night.world.places.mount("home");
  await night.world.run(() => night.world.clock.sleep(2 * 60_000));
  await night.run();
  expect(night.world.queue.deadLetters).toMatchObject([{ reason: "export-failed" }]);
});

test.each(FOREIGN_PLACES)("what %s holds, put there during a run, lets nothing be deleted", async (place) => {
  const night = new Night();
  const { places, platform, store } = night.world;
  night.swapDuringRun(place);
  const report = await night.run();
  expect(report).toMatchObject({ stopReason: "system-failure", failure: { code: CODES[place] } });
  expect(platform.has(night.exportTaskId)).toBe(true);
  places.mount("home");
  // The pace was kept in the other store.
  await night.world.run(() => night.world.clock.sleep(60_000));
  await night.run();
  expect(platform.has(night.exportTaskId)).toBe(false);
  expect(store.keysUnder("exports/")).toHaveLength(1);
});

test.each(FOREIGN_PLACES)(
  "%s, put there after the last task, gets no report, and the run does not end well",
  async (place) => {
    const night = new Night();
    const { places, queue, store } = night.world;
    night.swapAtTheEnd(place);
    const report = await night.run({ deletion: "never" });
    expect(report).toMatchObject({
      stopReason: "system-failure",
      failure: { code: CODES[place] },
      counts: { archived: 1, kept: 1 },
    });
    expect(queue.messages).toEqual([]);
    expect(places.storeOf("run-1").keysUnder("runs/")).toEqual([]);
    expect(night.warnings).toEqual([]);
    places.mount("home");
    expect(store.keysUnder("runs/")).toEqual([]);
    expect(await night.run({ deletion: "never" })).toMatchObject({ stopReason: "drained" });
    expect(store.keysUnder("runs/")).toHaveLength(1);
  },
);

test("a store that does not answer at the end is not another archive: the run ends as it did, with a warning", async () => {
  const night = new Night();
  const error = storeError("store-unavailable");
  const match = ({ subject }: { subject: string }) => subject === ARCHIVE_MARKER_KEY;
  // Read when the archive is opened, and at the end.
  night.world.faults.plant({ site: "store.getDocument", match, occurrence: 2, form: "not-done", error });
  const report = await night.run({ deletion: "never" });
  expect(report).toMatchObject({ stopReason: "drained", counts: { kept: 1 } });
  expect(night.warnings).toEqual(["archive-not-seen-again"]);
});
