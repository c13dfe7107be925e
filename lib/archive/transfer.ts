import { describeFailure } from "../domain/errors.ts";
import { idempotencyKeyOf, revisionOf } from "../domain/export-task.ts";
import { formatOtherSize } from "../domain/format-bytes.ts";
import { exportObjectKey } from "../domain/key-layout.ts";
import { BodyCheck, type BodyVerdict } from "../integrity/body-check.ts";
import { type Slot, SlotLost } from "../pacing/pacer.ts";
import type { StoredObject, Upload, VerificationLevel } from "../ports/object-store.ts";
import type { ExportDownload } from "../ports/platform.ts";
import { taskIn } from "../run/platform-list.ts";
import { type Attempt, type Ending, postponed } from "./attempt.ts";
import { type Copy, readBack, recordCopy } from "./copy.ts";
import { runTimeLeftMs, taskLimitMs, timeUntilGraceMs } from "./deadlines.ts";
import { BodyNotAccepted, copyDiffers, shortBody } from "./errors.ts";
import type { FinishedTask } from "./inspect-task.ts";
import { requireAllowed } from "./permission.ts";
import { listForRun } from "./run.ts";

/** A progress event per this many bytes. */
const PROGRESS_STEP_BYTES = 256 * 1024;

type WholeBody = Extract<BodyVerdict, { kind: "whole" }>;

type Fetched =
  | { readonly kind: "copy"; readonly copy: Copy }
  | { readonly kind: "ended"; readonly ending: Ending };

/** Steps 3 to 6 of the protocol: slot, download and upload in one pass, verify, record. */
export async function fetchCopy(attempt: Attempt, state: FinishedTask): Promise<Fetched> {
  const { run, limit } = attempt;
  const { clock } = run.ports;
  requireAllowed(attempt, "archive");
  const download = await askForFile(attempt);
  if (download === "no-slot") {
    return { kind: "ended", ending: { kind: "released", endsRun: true } };
  }
  const downloadedAtMs = clock.wallMs();
  const transferred = await transfer(attempt, state, download);
  if (transferred === "revision-changed") {
    return { kind: "ended", ending: postponed(attempt, "revision-changed") };
  }
  const { object, body } = transferred;
  run.ports.observe({ kind: "verifying", exportTaskId: attempt.exportTaskId });
  const level = await verify(attempt, object, body);
  limit.signal.throwIfAborted();
  const verification = { level, container: body.container };
  const proven = { object, sha256: body.sha256, verification, downloadedAtMs };
  return { kind: "copy", copy: await recordCopy(attempt, state, proven) };
}

/** Step 4: every byte passes once, and the upload is completed only when the body is proved whole. */
async function transfer(
  attempt: Attempt,
  state: FinishedTask,
  download: ExportDownload,
): Promise<{ object: StoredObject; body: WholeBody } | "revision-changed"> {
  const { run, exportTaskId, limit } = attempt;
  const { scope } = run.settings;
  const idempotencyKey = idempotencyKeyOf(scope, exportTaskId, state.revision);
  const { contentLengthBytes } = download;
  let upload: Upload | undefined;
  let isCompleted = false;
  try {
    run.ports.observe({
      kind: "download-started",
      exportTaskId,
      idempotencyKey,
      expectedSizeBytes: contentLengthBytes,
    });
    upload = await run.ports.store.openUpload(
      exportObjectKey(state.folder, state.revision, run.ports.random.hex(3)),
      {
        metadata: { "idempotency-key": idempotencyKey, "export-task-id": exportTaskId },
        expectedSizeBytes: contentLengthBytes,
        signal: limit.signal,
      },
    );
    const body = await streamBody(attempt, download, upload);
    if (!(await isStillListed(attempt, state))) {
      return "revision-changed";
    }
    const object = await upload.complete({ sizeBytes: body.sizeBytes, sha256: body.sha256 });
    isCompleted = true;
    return { object, body };
  } finally {
    if (!isCompleted) {
      download.cancel();
      await abortQuietly(attempt, upload);
    }
  }
}

/**
 * Ends an upload that will not be completed. One that cannot be ended must not hide why it was given up; it
 * is ended with the task (step 9) or by `sweep`.
 */
async function abortQuietly(attempt: Attempt, upload: Upload | undefined): Promise<void> {
  try {
    await upload?.abort();
  } catch (error) {
    attempt.run.ports.observe({
      kind: "warning",
      code: "upload-left-open",
      message: `the store did not abort an upload of task ${attempt.exportTaskId}: ${describeFailure(error).message}`,
    });
  }
}

/**
 * Moves the body into the upload, hashing and checking it on the way.
 * @throws a short body, a body that is not accepted, or what source and store throw.
 */
async function streamBody(attempt: Attempt, download: ExportDownload, upload: Upload): Promise<WholeBody> {
  const { settings, ports } = attempt.run;
  const { signal } = attempt.limit;
  const { accept, membersLimitBytes } = settings;
  const { contentLengthBytes } = download;
  const check = new BodyCheck({ accept, membersLimitBytes, contentLengthBytes });
  let reportedBytes = 0;
  for await (const chunk of download.body) {
    check.update(chunk);
    await upload.write(chunk);
    signal.throwIfAborted();
    if (check.sizeBytes - reportedBytes >= PROGRESS_STEP_BYTES) {
      reportedBytes = check.sizeBytes;
      ports.observe({ kind: "bytes", exportTaskId: attempt.exportTaskId, receivedBytes: reportedBytes });
    }
  }
  signal.throwIfAborted();
  const verdict = await check.finish({ signal });
  switch (verdict.kind) {
    case "whole":
      ports.observe({ kind: "bytes", exportTaskId: attempt.exportTaskId, receivedBytes: verdict.sizeBytes });
      return verdict;
    case "short":
      throw shortBody(verdict.problem);
    case "not-accepted":
      throw new BodyNotAccepted(verdict.problem, verdict.sha256);
  }
}

/** Whether the platform still shows the revision that was downloaded: a same-condition create may have replaced the file on the way. */
async function isStillListed(attempt: Attempt, state: FinishedTask): Promise<boolean> {
  const task = taskIn(await listForRun(attempt.run, attempt.limit.signal), attempt.exportTaskId);
  return task?.status === "Success" && revisionOf(task) === state.revision;
}

/** Step 5: proves the stored copy by the means asked for, never silently by a weaker one. */
async function verify(attempt: Attempt, object: StoredObject, body: WholeBody): Promise<VerificationLevel> {
  const { run, limit } = attempt;
  const { store } = run.ports;
  const level: VerificationLevel =
    run.settings.verify === "auto" ? run.abilities.verification : run.settings.verify;
  switch (level) {
    case "stored":
      await store.confirmStored(object, { signal: limit.signal });
      return level;
    case "read-back": {
      const read = await readBack(store, object.key, limit.signal);
      if (read.sizeBytes !== body.sizeBytes) {
        throw copyDiffers(object.key, formatOtherSize(read.sizeBytes, body.sizeBytes));
      }
      if (read.sha256 !== body.sha256) {
        throw copyDiffers(object.key, "its SHA-256 is another");
      }
      return level;
    }
  }
}

/**
 * Waits for a slot and asks the platform for the file in it. The task's own time limit rests while the task waits
 * and starts again at the slot; the end of the run still counts, for a store that stalls.
 * @returns `no-slot` when none comes before too little of the run is left.
 */
export async function askForFile(attempt: Attempt): Promise<ExportDownload | "no-slot"> {
  const { run, exportTaskId, limit } = attempt;
  const { platform, clock, observe } = run.ports;
  const call = { signal: limit.signal };
  await attempt.ticket.wait(clock, limit.signal);
  // Slots are handed out in the order in which they are asked for.
  attempt.ticket.release();
  for (let line: Pick<Slot, "take"> = run.pacer; ; ) {
    const deadlineMs = run.pacer.nowMs() + runTimeLeftMs(run) - run.settings.minTaskMs;
    limit.arm(timeUntilGraceMs(run));
    const slot = await line.take(deadlineMs, call, {
      onWaiting: (startsAtMs) => observe({ kind: "slot-awaited", exportTaskId, startsAtMs }),
    });
    if (slot === "none") {
      return "no-slot";
    }
    limit.arm(taskLimitMs(run, attempt.message));
    try {
      const beforeRequest = () => slot.ready(call);
      const download = await platform.showExportTask(exportTaskId, { ...call, beforeRequest });
      slot.release();
      run.pacer.noteServed();
      return download;
    } catch (error) {
      if (!(error instanceof SlotLost)) {
        slot.release();
        throw error;
      }
      // The younger task behind this one waits on, or it would get the slot of the older export.
      line = slot;
    }
  }
}
