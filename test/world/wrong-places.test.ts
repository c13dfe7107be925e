import { describe, expect, test } from "vitest";
import { ARCHIVE_MARKER_KEY, HOLDS_FOLDER, STORE_STATE_KEY } from "../../lib/domain/key-layout.ts";
import { ALWAYS } from "./example-archiver.ts";
import { HOME_ID, plantMarker } from "./places.ts";
import { type Runner, World } from "./world.ts";
import { type ArchiveStart, findWrongPlaces } from "./wrong-places.ts";

const MARKED: ArchiveStart = { home: "marked", deletion: "after-verify", isSet: false };
const UNMARKED: ArchiveStart = { home: "empty", deletion: "after-verify", isSet: false };

/** What the judge says of what this runner did. */
async function judge(
  act: (runner: Runner, world: World) => Promise<unknown>,
  start: ArchiveStart = MARKED,
): Promise<readonly string[]> {
  const world = new World();
  if (start.home === "marked") {
    plantMarker(world.store, HOME_ID);
  }
  world.platform.addTask({ exportTaskId: "t1" });
  const runner = world.startRunner("r");
  await world.run(() => act(runner, world));
  return findWrongPlaces(world, start);
}

const open = ({ store }: Runner) => store.getDocument(ARCHIVE_MARKER_KEY, ALWAYS);
const write = ({ store }: Runner, key = "runs/x.json") =>
  store.putDocument(key, "{}", { kind: "always" }, ALWAYS);

async function readAll(listing: AsyncIterable<unknown>): Promise<void> {
  for await (const _object of listing) {
    // What it holds does not matter.
  }
}

async function gate({ platform, store }: Runner, between: () => void = () => undefined): Promise<void> {
  await readAll(store.list(HOLDS_FOLDER, ALWAYS));
  between();
  await store.head("exports/p/default/t1/x.zip", ALWAYS);
  await platform.deleteExportTask("t1", { ...ALWAYS, beforeRequest: async () => undefined });
}

describe("nothing is said", () => {
  test("of who opens the archive first", async () => {
    expect(
      await judge(async (runner) => {
        await open(runner);
        await write(runner);
        await gate(runner);
      }),
    ).toEqual([]);
  });

  test("of who looks, lists the platform and stops", async () => {
    const act = async (runner: Runner, { places }: World) => {
      places.mount("another");
      await runner.memory.recall(ALWAYS);
      await open(runner);
      await readAll(runner.store.list("records/", ALWAYS));
      await runner.platform.listExportTasks(ALWAYS);
    };
    expect(await judge(act)).toEqual([]);
  });

  test("of a write of who had opened it before another store came", async () => {
    const act = async (runner: Runner, { places }: World) => {
      await open(runner);
      places.mount("empty");
      await write(runner);
    };
    expect(await judge(act)).toEqual([]);
  });

  test("of who begins an archive while nothing is deleted", async () => {
    const act = async (runner: Runner) => {
      await write(runner, STORE_STATE_KEY);
      await write(runner, ARCHIVE_MARKER_KEY);
      await open(runner);
      await write(runner);
    };
    expect(await judge(act, { ...UNMARKED, deletion: "never" })).toEqual([]);
    expect(await judge(act, { ...UNMARKED, deletion: "never", isSet: true })).not.toEqual([]);
    expect(await judge(act, UNMARKED)).not.toEqual([]);
  });
});

describe("it is said", () => {
  test.each(["another", "empty", "from-before"] as const)("that somebody wrote into %s", async (place) => {
    const act = async (runner: Runner, { places }: World) => {
      places.mount(place);
      await open(runner);
      await write(runner);
    };
    expect(await judge(act)).toEqual([expect.stringContaining(`I10: r wrote into ${place}`)]);
  });

  test("that somebody remembered it", async () => {
    const act = async (runner: Runner, { places }: World) => {
      places.mount("another");
      await open(runner);
      await runner.memory.remember("x", ALWAYS);
    };
    expect(await judge(act)).toEqual(["I10: the queue remembered the archive x"]);
  });

  test("that somebody worked before looking", async () => {
    const act = (runner: Runner) => runner.queue.receive(ALWAYS);
    expect(await judge(act)).toEqual([expect.stringContaining("I10: r acted before it knew its archive")]);
  });

  test("that a delete relies on holds that another store lacks", async () => {
    const act = async (runner: Runner, { places }: World) => {
      await open(runner);
      places.mount("another");
      await gate(runner, () => places.mount("home"));
    };
    expect(await judge(act)).toEqual([expect.stringContaining("deleted on the word of another")]);
  });

  test("that a delete relies on an object in another store", async () => {
    const act = async (runner: Runner, { places }: World) => {
      await open(runner);
      await gate(runner, () => places.mount("another"));
    };
    expect(await judge(act)).toEqual([expect.stringContaining("deleted on the word of another")]);
  });

  test("that a marker was written over", async () => {
    const world = new World();
    plantMarker(world.store, HOME_ID);
    await world.run(() => write(world.startRunner("r"), ARCHIVE_MARKER_KEY));
    expect(world.findViolations()).toEqual([expect.stringContaining("I10: the marker")]);
  });
});

test("whoever reports well has opened its archive", async () => {
  const world = new World();
  plantMarker(world.store, HOME_ID);
  await world.run(() => open(world.startRunner("careful")));
  const violations = findWrongPlaces(world, MARKED, ["careful", "careless"]);
  expect(violations).toEqual([expect.stringContaining("I10: careless reported well")]);
});

test("a runner with a place of its own is judged by that", async () => {
  const world = new World();
  plantMarker(world.store, HOME_ID);
  const astray = world.startRunner("astray", { place: "another" });
  const other = world.startRunner("other");
  await world.run(async () => {
    for (const runner of [astray, other]) {
      await open(runner);
      await write(runner);
    }
  });
  expect(findWrongPlaces(world, MARKED)).toEqual([expect.stringContaining("I10: astray wrote into another")]);
});
