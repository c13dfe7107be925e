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
export async function huntInScenes(seed: number): Promise<Sighting | undefined> {
  let worldsPlayed = 0;
  for (const scene of SCENES) {
    worldsPlayed += 1;
    const [violation] = await violationsOf(async () => (await scene.play(seed)).violations());
    if (violation !== undefined) {
      return { world: scene.name, worldsPlayed, violation };
    }
  }
  return undefined;
}

/** A world that never ends, or that the program crashed, is one whose run did not end by itself. */
async function violationsOf(play: () => Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await play();
  } catch (thrown) {
    const problem = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
    return [`I8: the world came to no end: ${problem}`];
  }
}
