import type { Stage } from "./stage.ts";

/** A story made for bugs that chance would seldom find: a world, what happens in it, how it has to end. */
export interface Scene {
  readonly name: string;
  /** Plays it once; with another seed come other latencies and nonces. */
  play(seed: number): Promise<Stage>;
}
