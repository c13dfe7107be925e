import { compact } from "../domain/compact.ts";
import { recordsOfRevision, type TaskRecords } from "../records/task-records.ts";
import type { KnownRecords } from "./plan.ts";

/** What a plan notes of the records of one revision. */
export function knownRecordsOf(records: TaskRecords, revision: string): KnownRecords {
  const { archived, archivedNumber, deadLetterNumber, expired } = recordsOfRevision(records, revision);
  return compact({
    archived: archivedNumber,
    copy: archived?.object.key,
    deadLetters: deadLetterNumber,
    expired,
  });
}
