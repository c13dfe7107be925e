import { InterruptedByOperator } from "../../operator.ts";
import type { Line } from "../../output.ts";
import type { Question, Talk } from "../talk.ts";

/** Gives these answers, one after the other; at the first question without one it presses Ctrl-C. */
export class ScriptedTalk implements Talk {
  readonly said: string[] = [];
  readonly asked: Question[] = [];
  left: readonly string[];

  constructor(answers: readonly string[]) {
    this.left = answers;
  }

  say(...lines: readonly Line[]): void {
    this.said.push(...lines.map((line) => (typeof line === "string" ? line : line.text)));
  }

  async ask(question: Question): Promise<string> {
    this.asked.push(question);
    const [answer, ...left] = this.left;
    if (answer === undefined) {
      throw new InterruptedByOperator();
    }
    this.left = left;
    return answer === "" ? (question.preset ?? "") : answer;
  }
}
