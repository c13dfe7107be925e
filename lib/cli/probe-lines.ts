import manifest from "../../package.json" with { type: "json" };
import { MAX_DOWNLOADS } from "../probe/downloads.ts";
import type { Left } from "../probe/ports.ts";
import { type Cost, QUESTIONS } from "../probe/questions.ts";
import type { Answer, ProbeSheet } from "../probe/sheet.ts";
import { count, formatDuration } from "./format.ts";
import { type Line, lines } from "./output.ts";

/** What a probe is about to be asked of. */
export interface ProbedPlace {
  readonly host: string;
  readonly signing: "standard" | "derived";
  readonly region: string | undefined;
  readonly downloadIntervalMs: number;
  /** An export of it is made. */
  readonly batchTaskId: string | undefined;
}

const COST_WORDS: Readonly<Record<Cost, string>> = {
  free: "no request of its own",
  list: "a list",
  download: "a download",
  export: "an export",
};

/** What a probe sends, and what it leaves behind. */
export function effortLines({ host, downloadIntervalMs, batchTaskId }: ProbedPlace): readonly string[] {
  const asked = QUESTIONS.filter(({ isAsked }) => isAsked);
  return [
    `The probe asks the platform at ${host} ${count(asked.length, "question")}. It sends lists, and at most ${MAX_DOWNLOADS} downloads: one per ${formatDuration(downloadIntervalMs)}, in the slots that all runs share.`,
    batchTaskId === undefined
      ? "It makes no export. With --batch-task <id> it makes one."
      : `It makes one export of batch task ${batchTaskId}, and leaves it for the next run to archive.`,
    "It deletes nothing, and archives nothing.",
  ];
}

/** What a probe would ask. */
export function previewLines(place: ProbedPlace): readonly Line[] {
  return lines(
    ...effortLines(place),
    "",
    ...QUESTIONS.map((one) => [
      `${one.question} (docs/iotda-api.md §${one.sections.join(", §")})`,
      one.isAsked ? `  Costs ${COST_WORDS[one.cost]}: ${one.how}` : `  Not asked: ${one.how}`,
    ]),
    "",
    "Nothing was asked. Add --live to ask.",
  );
}

/** The same for programs. */
export function previewDocument(): object {
  return {
    schemaVersion: 1,
    live: false,
    questions: QUESTIONS.map((one) => {
      const { id, sections, question, why, how } = one;
      return { id, sections, question, why, how, cost: one.isAsked ? one.cost : null };
    }),
  };
}

const HEADINGS: readonly (readonly [state: Answer["state"], heading: string])[] = [
  ["answered", "Answered"],
  ["failed", "Asked without an answer"],
  ["not-asked", "Not asked"],
  ["not-askable", "Beyond the probe"],
];

/** The sheet as Markdown; a terminal may break its lines, which changes nothing in it. */
export function sheetLines(sheet: ProbeSheet, { signing, region }: ProbedPlace): readonly Line[] {
  const { requests, startedAt, endedAt, project, hasInstanceId, left, isInterrupted, answers } = sheet;
  const sections = HEADINGS.map(([state, heading]) => ({
    heading,
    found: answers.filter((one) => one.state === state),
  }));
  return lines(
    "## Answers of the platform",
    "",
    `- asked: ${startedAt} to ${endedAt}, by \`iotda-archiver probe\` ${manifest.version}`,
    `- place: project hash \`${project}\`, ${hasInstanceId ? "an instance id" : "no instance id"}, ${signing} signature, region \`${region ?? "not set"}\``,
    `- sent: ${count(requests.lists, "list")}, ${count(requests.creates, "create")}, ${count(requests.downloads, "download")}, no delete`,
    isInterrupted && "- The probe was interrupted: the questions behind were not asked.",
    ...sections.flatMap(({ heading, found }) =>
      found.length === 0 ? [] : ["", `### ${heading}`, "", ...found.flatMap(answerLines)],
    ),
    "",
    leftInWords(left),
  );
}

function answerLines({ id, sections, question, answer }: Answer): readonly Line[] {
  return [`- \`${id}\` (§${sections.join(", §")}): ${question}`, `  ${answer}`];
}

function leftInWords(left: Left | null): string {
  switch (left?.kind) {
    case undefined:
      return "The probe left nothing on the platform.";
    case "export":
      return `The probe left export task \`${left.exportTaskId}\` on the platform. The next run archives it as any other.`;
    case "perhaps":
      return `The platform may have made an export of batch task \`${left.batchTaskId}\`: the answer to the create did not come. If it did, the next run archives it as any other.`;
  }
}
