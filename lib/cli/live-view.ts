import { styleText } from "node:util";
import { createLogUpdate } from "log-update";
import { harmlessText } from "../domain/harmless-text.ts";
import { createEventLines, type EventLine, type RunView } from "./event-lines.ts";
import { columnsOf, shownSecrets } from "./output.ts";
import { Progress, progressLines } from "./progress.ts";
import { wrapped } from "./wrapping.ts";

// For terminals only, which import it on demand: log-update takes 40 ms to load.

const REDRAW_EVERY_MS = 100;
type Style = Parameters<typeof styleText>[0];

/** An ordinary line has the terminal's own colour: neither white nor yellow can be read on a light background. */
const STYLE_OF_LEVEL = {
  debug: undefined,
  info: undefined,
  warn: "magenta",
  error: "red",
} as const satisfies Record<EventLine["level"], Style | undefined>;

/** Finished lines scroll by; below them a block shows what is going on now. */
export function createLiveView(
  stream: NodeJS.WriteStream,
  showDebug: boolean,
  wallMs: () => number,
): RunView {
  const terminal = createLogUpdate(stream);
  const progress = new Progress();
  const linesOf = createEventLines();
  const draw = () => terminal(progressLines(progress, wallMs()).join("\n"));
  const timer = setInterval(draw, REDRAW_EVERY_MS);
  const scroll = (text: string, style: Style | undefined) => {
    const lines = wrapped(harmlessText(shownSecrets.result(text)), columnsOf(stream));
    terminal.clear();
    stream.write(`${style === undefined ? lines : styleText(style, lines, { stream })}\n`);
    draw();
  };
  return {
    observe(event) {
      progress.note(event);
      for (const { text, level, isGood } of linesOf(event)) {
        if (showDebug || level !== "debug") {
          scroll(text, isGood ? "green" : STYLE_OF_LEVEL[level]);
        }
      }
    },
    expect: (work) => progress.expect(work),
    say: (line) => scroll(line, "bold"),
    close() {
      clearInterval(timer);
      terminal.clear();
      terminal.done();
    },
  };
}
