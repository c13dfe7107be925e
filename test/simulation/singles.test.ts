import { settingsFor } from "./exhaustive.ts";
import { testSingles } from "./single-suites.ts";

// Two runners are played in `singles.exhaustive.test.ts`.
testSingles([...settingsFor([1]), ...settingsFor([1], undefined, "in the store")]);
