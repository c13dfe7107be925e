import { hash } from "node:crypto";
import type { PlatformScope } from "../domain/export-task.ts";
import type { RunTimes } from "../run/run-frame.ts";
import type { Finding, Seen } from "./evidence.ts";
import type { Left, RequestCounts } from "./ports.ts";
import { QUESTIONS, type Question } from "./questions.ts";

/** One line of the sheet. */
export interface Answer {
  readonly id: string;
  readonly sections: readonly string[];
  readonly question: string;
  readonly state: Finding["state"] | "not-askable";
  readonly answer: string;
}

/** What a probe found out, without anything that is secret or names the account. */
export interface ProbeSheet extends RunTimes {
  readonly schemaVersion: 1;
  /** Tells places apart without naming them: 8 hex digits of SHA-256. */
  readonly project: string;
  readonly hasInstanceId: boolean;
  readonly requests: Readonly<RequestCounts> & { readonly deletes: 0 };
  readonly answers: readonly Answer[];
  /** What is left on the platform. */
  readonly left: Left | null;
  readonly isInterrupted: boolean;
}

/** Reads every answer from what was seen. */
export function answersOf(seen: Seen, scope: PlatformScope): readonly Answer[] {
  return QUESTIONS.map((question) => ({
    id: question.id,
    sections: question.sections,
    question: question.question,
    ...findingOf(question, seen, scope),
  }));
}

function findingOf(question: Question, seen: Seen, scope: PlatformScope): Pick<Answer, "state" | "answer"> {
  if (!question.isAsked) {
    return { state: "not-askable", answer: `The probe cannot ask it: ${question.how}.` };
  }
  const { state, text } = question.read(seen);
  return { state, answer: withoutScope(text, scope) };
}

/** No answer is meant to hold these ids; a message of an error might. */
function withoutScope(text: string, { projectId, instanceId }: PlatformScope): string {
  const withoutProject = text.replaceAll(projectId, "(project)");
  return instanceId === undefined ? withoutProject : withoutProject.replaceAll(instanceId, "(instance)");
}

/** A project's name on a sheet that strangers may read. */
export function shortHash(projectId: string): string {
  return hash("sha256", projectId).slice(0, 8);
}
