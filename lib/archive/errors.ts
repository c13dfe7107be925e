import { ArchiverError } from "../domain/errors.ts";

/** A whole body that is not an acceptable export. Two with the same SHA-256 make a dead letter. */
export class BodyNotAccepted extends ArchiverError {
  readonly sha256: string;

  constructor(problem: string, sha256: string) {
    super("body-not-accepted", `the downloaded file is not an acceptable export: ${problem}`, {
      scope: "task",
      retry: "later",
      hint: "Download the file by hand and check it. To archive files that are not ZIP, set ARCHIVER_ACCEPT=any.",
    });
    this.sha256 = sha256;
  }
}

/** A body that was cut off, or is longer than announced. */
export function shortBody(problem: string): ArchiverError {
  return new ArchiverError("short-body", `the downloaded file is incomplete: ${problem}`, {
    scope: "task",
    retry: "later",
    hint: "The platform or a proxy cut the answer. The archiver downloads it again.",
  });
}

/** The stored copy does not hash to what was downloaded. */
export function copyDiffers(key: string, problem: string): ArchiverError {
  return new ArchiverError("copy-differs", `the stored copy ${key} differs from the download: ${problem}`, {
    scope: "task",
    retry: "later",
    hint: "The task stays on the platform, and the archiver archives it again. If this repeats, check the storage for damage.",
  });
}

/** A try that was cut by its time limit although it had a run to itself. */
export function cutInFullRun(): ArchiverError {
  return new ArchiverError(
    "cut-in-full-run",
    "the task did not finish although it had the whole run to itself",
    {
      scope: "task",
      retry: "later",
      hint: "The file is too large for one run. Give runs more time, or run the archiver on a machine without a time limit.",
    },
  );
}

/** Two clocks are too far apart to sign requests or keep a pace. */
export function clockSkewed(whose: string, skewMs: number): ArchiverError {
  const minutes = Math.round(Math.abs(skewMs) / 60_000);
  const direction = skewMs > 0 ? "ahead of" : "behind";
  return new ArchiverError("clock-skew", `this machine's clock is ${minutes} min ${direction} ${whose}`, {
    scope: "system",
    retry: "never",
    hint: "Correct this machine's clock (NTP). The platform refuses signatures beyond 15 min, and records would have wrong times.",
  });
}

/** Verification by the store's own digest was asked for and this store has none. */
export function cannotVerifyStored(): ArchiverError {
  return new ArchiverError(
    "store-keeps-no-digest",
    "ARCHIVER_VERIFY=stored, but this store keeps no digest of its own",
    {
      scope: "system",
      retry: "never",
      hint: "Set ARCHIVER_VERIFY=read-back (or leave it at auto).",
    },
  );
}
