import { settingsFor } from "./exhaustive.ts";
import { testSingles } from "./single-suites.ts";

testSingles([...settingsFor([2]), ...settingsFor([2], undefined, "in the store")]);
