import { FOREIGN_PLACES } from "../world/places.ts";
import { SeededRandom } from "../world/seeded-random.ts";
import { type Happening, PLAIN_ARCHIVE, type Story } from "./story.ts";

const MINUTE_MS = 60_000;
const RUN_EVERY_MS = 15 * MINUTE_MS;

/** What a story says of archives and of the stores that lie in their place. */
export interface ArchiveDraw {
  readonly archive: Story["archive"];
  readonly runners: Story["runners"];
  readonly swaps: readonly Happening[];
}

/** What decides which archives a story can have. */
type Told = Pick<Story, "discovers" | "faults" | "runners" | "settings" | "store">;

/**
 * Draws who knows the archive, and whether another store is put in its place: before a run, for one of the runners all
 * the time, or while a run is at work. Has randomness of its own: what else a seed draws stays as it was.
 */
export function drawArchive(seed: number, story: Told): ArchiveDraw {
  return new ArchiveDrawing(seed).draw(story);
}

/**
 * Whether an archive can be made in a story without two of its processes standing in each other's way. In a store that
 * cannot create once the last marker wins, and one that comes late takes the archive from the other (a window that
 * docs/verification.md names).
 */
function canBeMade({ discovers, faults, runners, store }: Told): boolean {
  const isAlone = runners.length === 1 && !discovers && faults.every(({ kind }) => kind !== "freeze");
  return store.createOnce || isAlone;
}

class ArchiveDrawing {
  readonly #random: SeededRandom;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed).fork("archive");
  }

  draw(told: Told): ArchiveDraw {
    const { runners, settings } = told;
    const draw = this.#random.fraction();
    const isSet = this.#random.fraction() < 0.3;
    if (draw < 0.1 && canBeMade(told)) {
      const home = draw < 0.05 || settings.deletion === "never" ? "empty" : "from-before";
      const memory = isSet || this.#random.fraction() < 0.3 ? "none" : "blank";
      return { archive: { home, memory, isSet: isSet && home === "empty" }, runners, swaps: [] };
    }
    const memory = isSet ? this.#pick(["home", "blank", "none"] as const) : "home";
    const archive: Story["archive"] = { home: "marked", memory, isSet };
    if (draw >= 0.1 && draw < 0.3) {
      const swaps = this.#times(this.#random.integer(1, 3)).map(() => this.#swap());
      return { archive, runners, swaps };
    }
    if (draw >= 0.3 && draw < 0.4) {
      const astray = this.#random.integer(0, runners.length - 1);
      const place = this.#pick(FOREIGN_PLACES);
      return {
        archive,
        runners: runners.map((runner, index) => (index === astray ? { ...runner, place } : runner)),
        swaps: [],
      };
    }
    return { archive: PLAIN_ARCHIVE, runners, swaps: [] };
  }

  #swap(): Happening {
    const sudden = this.#random.fraction() < 0.5;
    // Runs begin at full quarters; one that meets another store ends at once.
    const atMs = sudden
      ? this.#random.integer(0, 2 * MINUTE_MS) + this.#pick([0, 0, 1]) * RUN_EVERY_MS
      : Math.max(0, this.#pick([0, 0, 1, 2]) * RUN_EVERY_MS - this.#random.integer(1, 1_000));
    const lastsMs = this.#pick([1_000, 30_000, 5 * MINUTE_MS, 2 * RUN_EVERY_MS]);
    const untilMs = atMs + this.#random.integer(Math.ceil(lastsMs / 4), lastsMs);
    return { kind: "swap", atMs, untilMs, to: this.#pick(FOREIGN_PLACES), sudden };
  }

  #times(count: number): readonly number[] {
    return Array.from({ length: count }, (_, index) => index);
  }

  #pick<T>(items: readonly T[]): T {
    const item = items[this.#random.integer(0, items.length - 1)];
    if (item === undefined) {
      throw new RangeError("there is nothing to pick from");
    }
    return item;
  }
}
