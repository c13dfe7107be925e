import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import * as v from "valibot";
import { expect, onTestFinished, test } from "vitest";
import { buildAll } from "../build.ts";

const ROOT = path.join(import.meta.dirname, "..");

const mapSchema = v.looseObject({ sources: v.array(v.string()) });

test("another build gives the same bytes, and maps that say the same", async () => {
  const again = await mkdtemp(path.join(tmpdir(), "archiver-dist-again-"));
  onTestFinished(async () => await rm(again, { recursive: true, force: true }));
  const built = path.join(ROOT, "dist");
  // A map names the sources as seen from its folder.
  const mapIn = async (dist: string, file: string) => {
    const map = v.parse(mapSchema, JSON.parse(await readFile(path.join(dist, `${file}.map`), "utf8")));
    const fromThere = path.dirname(path.join(dist, file));
    const sources = map.sources.map((name) => (/^\.\.?\//.test(name) ? path.resolve(fromThere, name) : name));
    return JSON.stringify({ ...map, sources });
  };
  for (const file of await buildAll(ROOT, again)) {
    const why = `${file}, or dist is of older sources`;
    expect(await readFile(path.join(again, file)), why).toEqual(await readFile(path.join(built, file)));
    expect((await mapIn(again, file)) === (await mapIn(built, file)), why).toBe(true);
  }
});
