import { ARCHIVE_MARKER_KEY, HOLDS_FOLDER, STORE_STATE_KEY } from "../../lib/domain/key-layout.ts";
import type { Effect } from "./effects.ts";
import type { Site } from "./faults.ts";
import type { PlaceName } from "./places.ts";
import type { World } from "./world.ts";

/** What a run may do before it knows its archive: look, and list the platform. */
const ALLOWED_UNOPENED: ReadonlySet<Site> = new Set([
  "platform.listExportTasks",
  "store.getDocument",
  "store.list",
  "memory.recall",
  // What came of it is asked of the memory itself.
  "memory.remember",
] as const);
/** What leaves something behind in a store; trying it out writes, too. */
const WRITES: ReadonlySet<Site> = new Set([
  "store.preflight",
  "store.openUpload",
  "store.write",
  "store.complete",
  "store.abortUploadsUnder",
  "store.putDocument",
  "store.removeObject",
] as const);
const OPENING_KEYS: ReadonlySet<string> = new Set(["", ARCHIVE_MARKER_KEY, STORE_STATE_KEY]);
/** The operator's command that makes an archive. */
const INIT = "init";
const SWEEP = "sweep";

/** What the archive is before the first run, and what an operator chose. */
export interface ArchiveStart {
  /** `from-before`: it holds records, and no marker. */
  readonly home: "marked" | "from-before" | "empty";
  readonly deletion: "after-verify" | "never";
  /** Whether the settings name an archive. */
  readonly isSet: boolean;
}

/** What one runner knows of its archive, by the log. */
interface Runner {
  /** It read the marker of the archive that it was set up for. */
  hasOpened: boolean;
  /** Where its last look at the holds was answered. */
  holdsSeenIn: PlaceName | undefined;
  /** The same for its last HEAD of each task's object. */
  readonly objectSeenIn: Map<string, PlaceName>;
}

/**
 * I10: whatever a run did about a place that is not the archive it was set up for. Read from the log of calls and from
 * where each of them went, apart from the code under test. Only a run that had opened its archive before another store
 * was put in its place may write there; no runner ever deletes on the word of such a store.
 *
 * @param endedWell the runners that said at their end that all is well.
 */
export function findWrongPlaces(
  world: World,
  start: ArchiveStart,
  endedWell: Iterable<string> = [],
): readonly string[] {
  const judge = new PlaceJudge(world, start);
  for (const [index, effect] of world.effects.all.entries()) {
    judge.see(effect, index);
  }
  for (const runner of endedWell) {
    judge.seeGoodEnd(runner);
  }
  return [...judge.violations, ...findForeignMemories(world)];
}

/** The queue never remembers an archive but its own, or it would refuse that from then on. */
function findForeignMemories({ memory, store }: World): readonly string[] {
  const marker = store.textAt(ARCHIVE_MARKER_KEY);
  return memory.all
    .filter((archiveId) => marker?.includes(archiveId) !== true)
    .map((archiveId) => `I10: the queue remembered the archive ${archiveId}`);
}

class PlaceJudge {
  readonly violations: string[] = [];
  readonly #world: World;
  readonly #runners = new Map<string, Runner>();
  readonly #mayBegin: boolean;
  #isMarked: boolean;

  constructor(world: World, { home, deletion, isSet }: ArchiveStart) {
    this.#world = world;
    this.#isMarked = home === "marked";
    this.#mayBegin = !isSet && (home === "from-before" || (home === "empty" && deletion === "never"));
  }

  see(effect: Effect, index: number): void {
    const { outcome, runner: name, site, subject } = effect;
    if (outcome === "crash" || name === SWEEP) {
      return;
    }
    const runner = this.#runner(name);
    const place = this.#world.places.placeOf(name, index);
    const isHad = outcome === "done" || outcome === "answer-lost";
    if (WRITES.has(site)) {
      if (isHad) {
        this.#seeWrite(effect, runner, place);
      }
    } else if (!runner.hasOpened && !ALLOWED_UNOPENED.has(site)) {
      this.#violate(effect, `acted before it knew its archive, in ${place},`);
    }
    if (site === "platform.deleteExportTask") {
      this.#seeDelete(effect, runner);
    }
    if (outcome === "done" && site === "store.getDocument" && subject === ARCHIVE_MARKER_KEY) {
      runner.hasOpened ||= place === "home" && this.#isMarked;
    }
    if (outcome === "done" && site === "store.list" && subject === HOLDS_FOLDER) {
      runner.holdsSeenIn = place;
    }
    if (outcome === "done" && site === "store.head") {
      runner.objectSeenIn.set(subject.split("/").at(-2) ?? "", place);
    }
  }

  seeGoodEnd(name: string): void {
    if (!this.#runner(name).hasOpened) {
      this.violations.push(`I10: ${name} reported well about a place that it did not know`);
    }
  }

  #seeWrite(effect: Effect, { hasOpened }: Runner, place: PlaceName): void {
    const { runner, site, subject } = effect;
    this.#isMarked ||= place === "home" && site === "store.putDocument" && subject === ARCHIVE_MARKER_KEY;
    const isOpening = OPENING_KEYS.has(subject) && (this.#mayBegin || runner === INIT);
    if (!hasOpened && !(place === "home" && isOpening)) {
      this.#violate(effect, place === "home" ? "wrote before it knew its archive" : `wrote into ${place}`);
    }
  }

  #seeDelete(effect: Effect, { holdsSeenIn, objectSeenIn }: Runner): void {
    const places = [holdsSeenIn, objectSeenIn.get(effect.subject)];
    const wrong = places.find((place) => place !== undefined && place !== "home");
    if (wrong !== undefined) {
      this.#violate(effect, `deleted on the word of ${wrong}`);
    }
  }

  #runner(name: string): Runner {
    const known = this.#runners.get(name);
    const runner = known ?? { hasOpened: false, holdsSeenIn: undefined, objectSeenIn: new Map() };
    this.#runners.set(name, runner);
    return runner;
  }

  #violate({ atMs, runner, site, subject }: Effect, what: string): void {
    this.violations.push(`I10: ${runner} ${what}: ${site} ${subject} (at ${atMs} ms)`);
  }
}
