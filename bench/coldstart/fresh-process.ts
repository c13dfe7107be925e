import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import * as v from "valibot";
import { bareEnvironment } from "../workplace.ts";

const CHILD = join(import.meta.dirname, "child.mjs");

const answerSchema = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    importMs: v.number(),
    /** Resident memory once the bundle was imported. */
    importedBytes: v.number(),
    peakBytes: v.number(),
    calls: v.array(
      v.object({
        tookMs: v.number(),
        residentBytes: v.number(),
        report: v.object({ stopReason: v.string(), counts: v.object({ archived: v.number() }) }),
      }),
    ),
  }),
);
export type FreshProcess = v.InferOutput<typeof answerSchema>;

/** Imports a bundle in a process of its own and calls its handler with each event, one after the other. */
export async function inFreshProcess(
  bundle: string,
  events: readonly unknown[] = [],
  settings: Readonly<Record<string, string>> = {},
): Promise<FreshProcess> {
  const folder = await mkdtemp(join(tmpdir(), "archiver-bench-"));
  try {
    const answerFile = join(folder, "answer.json");
    const args = [CHILD, pathToFileURL(bundle).href, answerFile, JSON.stringify(events)];
    await promisify(execFile)(process.execPath, args, { env: { ...bareEnvironment(), ...settings } });
    return v.parse(answerSchema, await readFile(answerFile, "utf8"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
