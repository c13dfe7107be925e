import { describeFailure } from "../domain/errors.ts";
import { idempotencyKeyOf, revisionOf } from "../domain/export-task.ts";
import { exportObjectKey } from "../domain/key-layout.ts";
import { BodyCheck, type BodyVerdict } from "../integrity/body-check.ts";
import type { StoredObject, Upload, VerificationLevel } from "../ports/object-store.ts";
import type { ExportDownload } from "../ports/platform.ts";
import type { Copy } from "./copy.ts";
import { BodyNotAccepted, copyDiffers, shortBody } from "./errors.ts";
import type { FinishedTask } from "./look.ts";
import { readBack } from "./read-back.ts";
import { recordArchived } from "./record-archived.ts";
import { listForRun, taskIn } from "./run.ts";
import { askForFile } from "./slot.ts";
import { postponedAsUsual, type Visit, type VisitResult } from "./visit.ts";

/** A progress event per this many bytes. */
const PROGRESS_STEP_BYTES = 256 * 1024;

type WholeBody = Extract<BodyVerdict, { kind: "whole" }>;

/** Steps 3 to 6 of the protocol: slot, download and upload in one pass, verify, record. */
export async function fetchCopy(visit: Visit, sight: FinishedTask): Promise<Copy | VisitResult> {
  const { run, limit } = visit;
  const { clock } = run.ports;
  const download = await askForFile(visit);
  if (download === "no-slot") {
    return { kind: "handed-back", endsRun: true };
  }
  const downloadedAtMs = clock.wallMs();
  const transferred = await transfer(visit, sight, download);
  if (transferred === "revision-changed") {
    return postponedAsUsual(visit, "revision-changed");
  }
  const { object, body } = transferred;
  visit.learned.sizeBytes = object.sizeBytes;
  run.ports.observe({ kind: "verifying", exportTaskId: visit.exportTaskId });
  const level = await verify(visit, object, body);
  limit.signal.throwIfAborted();
  return await recordArchived(visit, sight, {
    object,
    sha256: body.sha256,
    verification: { level, container: body.container },
    downloadedAtMs,
  });
}

/** Step 4: every byte passes once, and the upload is completed only when the body is proved whole. */
async function transfer(
  visit: Visit,
  sight: FinishedTask,
  download: ExportDownload,
): Promise<{ object: StoredObject; body: WholeBody } | "revision-changed"> {
  const { run, exportTaskId, limit } = visit;
  const { scope } = run.settings;
  const idempotencyKey = idempotencyKeyOf(scope, exportTaskId, sight.revision);
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
      exportObjectKey(sight.folder, sight.revision, run.ports.random.hex(3)),
      {
        metadata: { "idempotency-key": idempotencyKey, "export-task-id": exportTaskId },
        expectedSizeBytes: contentLengthBytes,
        signal: limit.signal,
      },
    );
    const body = await pass(visit, download, upload);
    if (!(await isStillListed(visit, sight))) {
      return "revision-changed";
    }
    const object = await upload.complete({ sizeBytes: body.sizeBytes, sha256: body.sha256 });
    isCompleted = true;
    return { object, body };
  } finally {
    if (!isCompleted) {
      download.cancel();
      await abortQuietly(visit, upload);
    }
  }
}

/**
 * Ends an upload that will not be completed. One that cannot be ended must not hide why it was given up; it
 * is ended with the task (step 9) or by `sweep`.
 */
async function abortQuietly(visit: Visit, upload: Upload | undefined): Promise<void> {
  try {
    await upload?.abort();
  } catch (error) {
    visit.run.ports.observe({
      kind: "warning",
      code: "upload-left-open",
      message: `an upload of task ${visit.exportTaskId} could not be aborted: ${describeFailure(error).message}`,
    });
  }
}

/**
 * Moves the body into the upload, hashing and checking it on the way.
 * @throws a short body, a body that is not accepted, or what source and store throw.
 */
async function pass(visit: Visit, download: ExportDownload, upload: Upload): Promise<WholeBody> {
  const { settings, ports } = visit.run;
  const { signal } = visit.limit;
  const check = new BodyCheck({ accept: settings.accept, membersLimitBytes: settings.membersLimitBytes });
  let reportedBytes = 0;
  for await (const chunk of download.body) {
    check.update(chunk);
    await upload.write(chunk);
    signal.throwIfAborted();
    if (check.sizeBytes - reportedBytes >= PROGRESS_STEP_BYTES) {
      reportedBytes = check.sizeBytes;
      ports.observe({ kind: "bytes", exportTaskId: visit.exportTaskId, receivedBytes: reportedBytes });
    }
  }
  signal.throwIfAborted();
  const verdict = await check.finish({ contentLengthBytes: download.contentLengthBytes, signal });
  switch (verdict.kind) {
    case "whole":
      ports.observe({ kind: "bytes", exportTaskId: visit.exportTaskId, receivedBytes: verdict.sizeBytes });
      return verdict;
    case "short":
      throw shortBody(verdict.problem);
    case "not-accepted":
      throw new BodyNotAccepted(verdict.problem, verdict.sha256);
  }
}

/** Whether the platform still shows the revision that was downloaded: a same-condition create may have replaced the file on the way. */
async function isStillListed(visit: Visit, sight: FinishedTask): Promise<boolean> {
  const task = taskIn(await listForRun(visit.run, visit.limit.signal), visit.exportTaskId);
  return task?.status === "Success" && revisionOf(task) === sight.revision;
}

/** Step 5: proves the stored copy by the means asked for, never silently by a weaker one. */
async function verify(visit: Visit, object: StoredObject, body: WholeBody): Promise<VerificationLevel> {
  const { run, limit } = visit;
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
        throw copyDiffers(object.key, `${read.sizeBytes} bytes instead of ${body.sizeBytes}`);
      }
      if (read.sha256 !== body.sha256) {
        throw copyDiffers(object.key, "its SHA-256 is another");
      }
      return level;
    }
  }
}
