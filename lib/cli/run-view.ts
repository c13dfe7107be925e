import type { ArchiveEvent } from "../archive/events.ts";
import type { Log } from "../observability/log.ts";
import { createEventLines } from "./event-lines.ts";

/** Shows a run while it works. */
export interface RunView {
  observe(event: ArchiveEvent): void;
  /** A line of the program itself. */
  say(line: string): void;
  /** Leaves the terminal as it should be. */
  close(): void;
}

/** Lines in a log: for cron, pipes and files. */
export function createPlainView(log: Log): RunView {
  const linesOf = createEventLines();
  return {
    observe(event) {
      for (const line of linesOf(event)) {
        log[line.level](line.text);
      }
    },
    say: (line) => log.info(line),
    close: () => undefined,
  };
}
