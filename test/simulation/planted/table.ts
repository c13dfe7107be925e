import type { HuntAnswer } from "./hunters.ts";
import { PLANTED_BUGS } from "./planted-bugs.ts";

const HEAD = [
  "| planted bug | promise | seen in the scene | scenes played | seeds |",
  "|---|---|---|---|---|",
];

/**
 * What became of each planted bug, as a table in Markdown. The last column is the number of seeds it took, or
 * how many were not enough.
 */
export function tableOf(answers: readonly HuntAnswer[], seeds: number): string {
  const rows = PLANTED_BUGS.map(({ name, invariant }) => {
    const answer = answers.find((candidate) => candidate.name === name);
    const { world = "**not seen**", worldsPlayed = "" } = answer?.inScenes ?? {};
    const seedsPlayed = answer?.byChance?.worldsPlayed ?? `> ${seeds}`;
    return `| ${name} | ${invariant} | ${world} | ${worldsPlayed} | ${seedsPlayed} |`;
  });
  return [...HEAD, ...rows].join("\n");
}
