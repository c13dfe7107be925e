import type { HuntAnswer } from "./hunters.ts";
import { PLANTED_BUGS } from "./planted-bugs.ts";

/** What became of each planted bug, as a table in Markdown. */
export function tableOf(answers: readonly HuntAnswer[]): string {
  const rows = PLANTED_BUGS.map(({ name, invariant }) => {
    const inScenes = answers.find((answer) => answer.name === name)?.inScenes;
    return `| ${name} | ${invariant} | ${inScenes?.world ?? "**not seen**"} | ${inScenes?.worldsPlayed ?? ""} |`;
  });
  return ["| planted bug | promise | seen in | worlds played |", "|---|---|---|---|", ...rows].join("\n");
}
