import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { type PlantedBug, plantIn } from "./planted-bug.ts";

/** Marks the addresses of one bug's modules, so that each bug has a program of its own in this thread. */
const MARK = "planted";
const PROJECT_URL = new URL("../../../", import.meta.url).href;
const PACKAGES_URL = new URL("node_modules/", PROJECT_URL).href;

const planted = new Map<string, PlantedBug>();
let graphs = 0;

/**
 * Imports a module with everything it imports from this project anew, with the bug in it. Nothing is written:
 * the source is changed while Node loads it. Packages and Node's own modules are shared.
 *
 * @param url of the module to begin with.
 * @param bug `undefined` for a copy of the program as it is.
 */
export async function importPlanted(url: URL, bug: PlantedBug | undefined): Promise<unknown> {
  if (graphs === 0) {
    setHooks();
  }
  graphs += 1;
  const label = String(graphs);
  const marked = new URL(url);
  marked.searchParams.set(MARK, label);
  if (bug !== undefined) {
    planted.set(label, bug);
  }
  return await import(marked.href);
}

function setHooks(): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context);
      const label = labelOf(context.parentURL);
      const isOwn = resolved.url.startsWith(PROJECT_URL) && !resolved.url.startsWith(PACKAGES_URL);
      return label === undefined || !isOwn || labelOf(resolved.url) !== undefined
        ? resolved
        : { ...resolved, url: `${resolved.url}?${MARK}=${label}` };
    },
    load(url, context, nextLoad) {
      const bug = planted.get(labelOf(url) ?? "");
      const file = url.replace(/\?.*$/, "");
      if (bug === undefined || file !== PROJECT_URL + bug.file) {
        return nextLoad(url, context);
      }
      const source = plantIn(readFileSync(fileURLToPath(file), "utf8"), bug);
      return { format: "module-typescript", source, shortCircuit: true };
    },
  });
}

function labelOf(url: string | undefined): string | undefined {
  return url === undefined || !url.startsWith(PROJECT_URL)
    ? undefined
    : (new URL(url).searchParams.get(MARK) ?? undefined);
}
