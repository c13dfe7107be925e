import { describeFailure, type Failure } from "../domain/errors.ts";
import type { ExportTask } from "../domain/export-task.ts";
import { PlatformError, type PlatformErrorCode } from "../ports/platform.ts";
import type { FileAnswer, ListPageAnswer } from "../ports/platform-answers.ts";
import type { FreshList } from "../run/platform-list.ts";

/** What the platform said instead of doing what it was asked for. */
export interface Refusal {
  readonly httpStatus: number;
  readonly platformCode: string | undefined;
  /** What the program makes of it. */
  readonly code: PlatformErrorCode;
}

/** What became of one request. A refusal is an answer, and often the one that was asked for. */
export type Asked<T> =
  | { readonly kind: "told"; readonly value: T }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  /** No answer that can be read. */
  | { readonly kind: "failed"; readonly failure: Failure }
  /** `why` is a clause, such as `no batch task was named`. */
  | { readonly kind: "not-asked"; readonly why: string };

/** What a download asks: about a task that never was, about one without a file, and about one with a file. */
export type FileQuestion = "unknown" | "unfinished" | "finished";

/** The export that the probe had the platform make. */
export interface CreatedExport {
  readonly exportTaskId: string;
  /** As the create answer shows it; `undefined` where that answer was lost. */
  readonly answered: ExportTask | undefined;
  /** As the first list after it shows it. */
  readonly listed: ExportTask | undefined;
  /** Tasks with the same condition before the create, and those of them that the list after it shows. */
  readonly earlierIds: readonly string[];
  readonly stillListedIds: readonly string[];
  /** The platform's clock when it answered the list before the create. */
  readonly platformMs: number;
}

/** Everything a probe has seen. The answers are read from this and from nothing else. */
export interface Seen {
  readonly list: FreshList;
  /** Every task that some list or the create answer showed as `Processing`. */
  readonly running: readonly ExportTask[];
  readonly page: Asked<ListPageAnswer>;
  readonly beyondLastOffset: Asked<ListPageAnswer>;
  readonly created: Asked<CreatedExport>;
  readonly files: Readonly<Record<FileQuestion, Asked<FileAnswer>>>;
  /** The status under which the task of the question `unfinished` was listed. */
  readonly unfinishedStatus: string | undefined;
  /** Every throttling answer, with the operation that got it. */
  readonly throttled: readonly { readonly operation: string; readonly refusal: Refusal }[];
}

/** The one answer to a question. Its text holds foreign text only where that is short and harmless. */
export interface Finding {
  readonly state: "answered" | "failed" | "not-asked";
  /** Whole sentences. */
  readonly text: string;
}

export function answered(text: string): Finding {
  return { state: "answered", text };
}

/** @param why as in {@link Asked}. */
export function notAsked(why: string): Finding {
  return { state: "not-asked", text: `Not asked: ${why}.` };
}

/** A request that was not sent. @param why as in {@link Asked}. */
export function unasked(why: string): Extract<Asked<never>, { kind: "not-asked" }> {
  return { kind: "not-asked", why };
}

/** What to say where a question got no answer of the kind that it needs. */
export function withoutAnswer(asked: Exclude<Asked<unknown>, { kind: "told" }>): Finding {
  switch (asked.kind) {
    case "refused":
      return { state: "failed", text: `No answer: ${refusalInWords(asked.refusal)}.` };
    case "failed":
      return { state: "failed", text: `No answer: ${asked.failure.message}.` };
    case "not-asked":
      return notAsked(asked.why);
  }
}

/** `status 404 with code IOTDA.099404`: what the platform said, without a word of its text. */
export function refusalInWords({ httpStatus, platformCode }: Refusal): string {
  return `status ${httpStatus} ${platformCode === undefined ? "without a code" : `with code \`${platformCode}\``}`;
}

/** What was thrown by a request, as what became of it. */
export function outcomeOf(thrown: unknown): Extract<Asked<never>, { kind: "refused" | "failed" }> {
  const refusal = refusalOf(thrown);
  return refusal === undefined
    ? { kind: "failed", failure: describeFailure(thrown) }
    : { kind: "refused", refusal };
}

/** The refusal behind an error; `undefined` where no answer came, or none that can be read. */
export function refusalOf(thrown: unknown): Refusal | undefined {
  if (!(thrown instanceof PlatformError) || thrown.httpStatus === undefined) {
    return undefined;
  }
  const { httpStatus, platformCode, code } = thrown;
  return { httpStatus, platformCode, code };
}
