import { describeKills } from "./kills-suite.ts";
import { openLab } from "./lab.ts";

const INTERVAL_MS = 600;

describeKills({
  name: "a folder and sqlite",
  intervalMs: INTERVAL_MS,
  // 0.4 to 0.6 s each.
  bytesPerSecond: 1_000_000,
  fillerBytesOf: (exportNumber) => (4 + (exportNumber % 3)) * 100_000,
  open: (context, settings) => openLab(context, { intervalMs: INTERVAL_MS, apart: true, settings }),
});
