import { transform } from "esbuild";
import type { SourceFile } from "./rules.ts";

/** Globals through which policy would see or change the world behind the back of its ports. */
const FORBIDDEN = [
  "process",
  "Date.now",
  "performance",
  "Math.random",
  "crypto",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "fetch",
  "console",
] as const;

const MARK = "FORBIDDEN_GLOBAL_";

/**
 * The forbidden globals a source uses. esbuild replaces real uses only: names in comments, strings and
 * types, and locals of the same name, do not count.
 */
export async function problemsOfGlobals({ file, text }: SourceFile): Promise<string[]> {
  const define = Object.fromEntries(FORBIDDEN.map((name) => [name, MARK + name.replace(".", "_")]));
  const { code } = await transform(text, { loader: "ts", target: "esnext", define });
  const used = FORBIDDEN.filter((name) => new RegExp(`\\b${MARK}${name.replace(".", "_")}\\b`).test(code));
  // `new Date()` without a moment is a clock; esbuild writes `new Date` like this too.
  const clock = /\bnew Date\(\)/.test(code) ? ["new Date()"] : [];
  return [...used, ...clock].map((name) => `${file} uses ${name}: policy asks its ports`);
}
