import { playStory } from "../play-story.ts";
import { randomStory } from "../random-story.ts";
import { SCENES } from "./scenes.ts";

/** A world in which a promise was seen broken. */
export interface Sighting {
  /** The scene, or the seed of the story. */
  readonly world: string;
  /** Worlds played until then, this one included. */
  readonly worldsPlayed: number;
  /** The first broken promise, beginning with its number. */
  readonly violation: string;
}

/** Plays scene after scene until a promise is broken. `undefined`: none was. */
export function huntInScenes(seed: number): Promise<Sighting | undefined> {
  const worlds = SCENES.map(({ name, play }) => ({
    name,
    play: async () => (await play(seed)).violations(),
  }));
  return huntIn(worlds);
}

/** Plays the random stories of the seeds from 1 to `seeds` until a promise is broken. `undefined`: none was. */
export function huntByChance(seeds: number): Promise<Sighting | undefined> {
  return huntIn(storiesUpTo(seeds));
}

interface PlayableWorld {
  readonly name: string;
  play(): Promise<readonly string[]>;
}

function* storiesUpTo(seeds: number): Generator<PlayableWorld> {
  for (let seed = 1; seed <= seeds; seed += 1) {
    yield {
      name: `seed ${seed}`,
      play: async () => (await playStory(randomStory(seed))).violations,
    };
  }
}

async function huntIn(worlds: Iterable<PlayableWorld>): Promise<Sighting | undefined> {
  let worldsPlayed = 0;
  for (const world of worlds) {
    worldsPlayed += 1;
    const [violation] = await violationsOf(world);
    if (violation !== undefined) {
      return { world: world.name, worldsPlayed, violation };
    }
  }
  return undefined;
}

/** A world that never ends, or that the program crashed, is one whose run did not end on its own. */
async function violationsOf(world: PlayableWorld): Promise<readonly string[]> {
  try {
    return await world.play();
  } catch (thrown) {
    const problem = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
    return [`I8: the world came to no end: ${problem}`];
  }
}
