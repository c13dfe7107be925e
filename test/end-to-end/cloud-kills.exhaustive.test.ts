import { openCloudLab } from "./cloud-lab.ts";
import { describeKills } from "./kills-suite.ts";

const INTERVAL_MS = 600;

describeKills({
  name: "S3 and SQS",
  intervalMs: INTERVAL_MS,
  // Every other one of two parts, on the wire for half a second.
  bytesPerSecond: 12_000_000,
  fillerBytesOf: (exportNumber) => (exportNumber % 2 === 0 ? 6_000_000 : 1_000 * exportNumber),
  open: (context, settings) =>
    openCloudLab(context, {
      intervalMs: INTERVAL_MS,
      s3: { profile: "aws" },
      storeProfile: "aws",
      apart: true,
      settings,
    }),
});
