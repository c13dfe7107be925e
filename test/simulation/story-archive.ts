import { initArchive } from "../../lib/identity/init-archive.ts";
import type { WorldIdentity } from "../world/archive-run.ts";
import { HOME_ID, plantMarker, plantOldRecord } from "../world/places.ts";
import type { World } from "../world/world.ts";
import type { ArchiveStart } from "../world/wrong-places.ts";
import type { Happening, Story } from "./story.ts";

/** The archive of a story: what it is at the start, what operators say of it, and what is put in its place. */
export class StoryArchive {
  readonly #story: Story;
  readonly #world: World;
  /** Another store was put in the place of the archive while a run was at work. */
  wasSwappedUnderRun = false;

  constructor(story: Story, world: World) {
    this.#story = story;
    this.#world = world;
    const { home, memory } = story.archive;
    if (home === "marked") {
      plantMarker(world.store, HOME_ID);
    } else if (home === "from-before") {
      plantOldRecord(world.store, world.scope);
    }
    if (memory === "home") {
      world.memory.archiveId = HOME_ID;
    }
  }

  /** What the operator of every runner set up. */
  get identity(): WorldIdentity {
    const { archive, settings } = this.#story;
    const archiveId = archive.isSet ? HOME_ID : undefined;
    return { archiveId, hasMemory: archive.memory !== "none", deletion: settings.deletion };
  }

  /** For the judge of places. */
  get start(): ArchiveStart {
    const { archive, settings } = this.#story;
    return { home: archive.home, deletion: settings.deletion, isSet: archive.isSet };
  }

  swap({ sudden, to }: Extract<Happening, { kind: "swap" }>, runsAreLive: boolean): void {
    if (sudden || !runsAreLive) {
      this.wasSwappedUnderRun ||= runsAreLive;
      this.#world.places.mount(to);
    }
  }

  /** The archive is back. */
  endSwap(): void {
    if (this.#world.places.mounted !== "home") {
      this.#world.places.mount("home");
    }
  }

  /** An operator says that an archive is meant where none is yet. @returns what was broken. */
  async init(): Promise<readonly string[]> {
    if (this.#story.archive.home !== "empty") {
      return [];
    }
    const { clock, memory, random, store } = this.#world.startRunner("init");
    const { archiveId, hasMemory } = this.identity;
    const ports = { clock, random, store, memory: hasMemory ? memory : undefined, say: () => undefined };
    const settings = { archiveId, storeSettings: "the world's" };
    try {
      await initArchive(ports, settings, { adopt: false, signal: new AbortController().signal });
      return [];
    } catch (error) {
      return [`I10: init makes no archive: ${String(error)}`];
    }
  }

  /**
   * Leaves out what no runner can keep when stores change under a run: that one revision has one object, and the pace, are
   * agreed on in the store itself.
   */
  excused(violations: readonly string[]): readonly string[] {
    return this.wasSwappedUnderRun
      ? violations.filter((violation) => !/^I[24]:/.test(violation))
      : violations;
  }
}
