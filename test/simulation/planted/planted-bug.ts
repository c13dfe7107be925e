/** The promises of architecture §2 that a simulated world can see broken. */
export type Invariant = "I1" | "I2" | "I3" | "I4" | "I5" | "I6" | "I8" | "I10";

/** One small change of the protocol that must not go unseen: proof that the simulation looks. */
export interface PlantedBug {
  /** A few words, unique; how the bug is called on the command line and in the table. */
  readonly name: string;
  /** What goes wrong because of it, in one sentence. */
  readonly breaks: string;
  /** The promise that is expected to be seen broken. */
  readonly invariant: Invariant;
  /** The file of `lib/` that is changed, relative to the project. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
}

/**
 * The file's source with the bug in it.
 *
 * @throws Error when the place to change is not there exactly once: the code has moved on, the row must follow.
 */
export function plantIn(source: string, { name, file, find, replace }: PlantedBug): string {
  const [before, after, ...more] = source.split(find);
  if (before === undefined || after === undefined || more.length > 0) {
    const times = more.length > 0 ? "more than once" : "not at all";
    throw new Error(`planted bug "${name}": what it replaces occurs ${times} in ${file}`);
  }
  return `${before}${replace}${after}`;
}
