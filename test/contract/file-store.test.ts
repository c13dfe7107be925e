import { join } from "node:path";
import { FileStore } from "../../lib/store/file-store.ts";
import { patientClock, realRandom } from "./clocks.ts";
import { describeObjectStore } from "./object-store.contract.ts";
import { FILE_STORE_TRAITS } from "./store-helpers.ts";
import { temporaryFolder } from "./temp-folder.ts";

describeObjectStore(
  "file",
  async () => {
    const folder = join(await temporaryFolder(), "store");
    const options = { clock: patientClock, random: realRandom };
    return {
      store: new FileStore(folder, options),
      other: new FileStore(folder, options),
      close: async () => undefined,
    };
  },
  FILE_STORE_TRAITS,
);
