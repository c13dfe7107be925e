import { type Setting, settingsFor } from "./exhaustive.ts";

/** How much is simulated; chosen by the environment variable `SIMULATION`. */
export interface Effort {
  readonly name: "test" | "ci" | "full";
  readonly randomSeeds: number;
  /** Histories of events and export requests, and of archives between inventories. */
  readonly requestHistories: number;
  /** Archives in any state, each with its plan and the run that follows. */
  readonly planWorlds: number;
  /** In which every pair of faults is played. */
  readonly pairSettings: readonly Setting[];
  /** Whether every fault is crossed with every crash. */
  readonly crosses: boolean;
  /** Random stories in which each planted bug may show itself, beside the scenes. */
  readonly huntSeeds: number;
  /** Whether what is dear is played on every kind of store. */
  readonly everyStore: boolean;
}

const EFFORTS: Readonly<Record<Effort["name"], Effort>> = {
  test: {
    name: "test",
    randomSeeds: 20_000,
    requestHistories: 250,
    planWorlds: 40,
    pairSettings: settingsFor([1], ["with conditional writes"]),
    crosses: false,
    huntSeeds: 0,
    everyStore: false,
  },
  ci: {
    name: "ci",
    randomSeeds: 200_000,
    requestHistories: 10_000,
    planWorlds: 240,
    pairSettings: settingsFor([1, 2]),
    crosses: true,
    huntSeeds: 50,
    everyStore: true,
  },
  full: {
    name: "full",
    randomSeeds: 1_000_000,
    requestHistories: 10_000,
    planWorlds: 10_000,
    pairSettings: settingsFor([1, 2, 3]),
    crosses: true,
    huntSeeds: 2_000,
    everyStore: true,
  },
};

/** The effort asked for: `npm test` unless the environment says `ci` or `full`. @throws RangeError for another word. */
export function effortOf(environment: Readonly<Record<string, string | undefined>>): Effort {
  const { SIMULATION: name = "test" } = environment;
  if (name !== "test" && name !== "ci" && name !== "full") {
    throw new RangeError(`SIMULATION is test, ci or full, not ${JSON.stringify(name)}`);
  }
  return EFFORTS[name];
}
