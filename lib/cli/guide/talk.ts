import type { Line } from "../output.ts";

/** What somebody at a terminal is asked. */
export interface Question {
  readonly text: string;
  /** What Enter alone means. A secret is never shown as one. */
  readonly preset?: string;
  /** Nothing that is typed is shown. */
  readonly isSecret?: boolean;
}

/** A talk with somebody at a terminal. */
export interface Talk {
  say(...lines: readonly Line[]): void;
  /**
   * @returns what was typed, without the space around it, or what Enter alone means; empty where that is nothing.
   * @throws InterruptedByOperator at Ctrl-C and Ctrl-D.
   */
  ask(question: Question): Promise<string>;
}

/** Asks until the answer is one of these words, or the beginning of just one of them. */
export async function askWord<const Words extends readonly [string, ...string[]]>(
  talk: Talk,
  text: string,
  words: Words,
  preset: Words[number],
): Promise<Words[number]> {
  for (;;) {
    const answer = (await talk.ask({ text, preset })).toLowerCase();
    const meant = words.filter((word) => answer !== "" && word.startsWith(answer));
    const word = words.find((one) => one === answer) ?? (meant.length === 1 ? meant[0] : undefined);
    if (word !== undefined) {
      return word;
    }
    talk.say(`  Answer ${words.slice(0, -1).join(", ")} or ${words.at(-1)}.`);
  }
}

/** Asks until the answer is yes or no. */
export async function askYesNo(talk: Talk, text: string, preset: boolean): Promise<boolean> {
  return (await askWord(talk, text, ["yes", "no"], preset ? "yes" : "no")) === "yes";
}
