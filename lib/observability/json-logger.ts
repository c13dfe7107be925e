import { createLog, type Log, type LogOptions } from "./log.ts";

/**
 * One JSON document for each line, as log collectors read it: `time`, `level`, `message`, then the fields.
 * A field that has one of these three names is shown with `_` before it.
 */
export function createJsonLog(options: LogOptions): Log {
  return createLog(options, ({ time, level, message, fields }) => {
    const shown = Object.entries(fields).map(([name, value]) => [
      RESERVED.has(name) ? `_${name}` : name,
      value,
    ]);
    return JSON.stringify({ time, level, message, ...Object.fromEntries(shown) });
  });
}

const RESERVED: ReadonlySet<string> = new Set(["time", "level", "message"]);
