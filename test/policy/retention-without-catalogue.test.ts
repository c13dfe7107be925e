import { describe } from "vitest";
import { sceneDefaults } from "./retention-scene.ts";

// The same again in an archive that never had an inventory: then all records are read.
sceneDefaults.source = "records";
describe("without a catalogue", async () => {
  await import("./retention-expire.test.ts");
  await import("./retention-retain.test.ts");
  await import("./retention-crashes.test.ts");
  await import("./retention-time.test.ts");
  await import("./retention-reading.test.ts");
});
