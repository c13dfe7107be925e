import { readFileSync } from "node:fs";
import { type ResolveFnOutput, registerHooks, stripTypeScriptTypes } from "node:module";
import { fileURLToPath } from "node:url";
import { type PlantedBug, plantIn } from "./planted-bug.ts";

/** Marks the addresses of one bug's modules, so that each bug has a program of its own in this thread. */
const MARK = "planted";
const PROJECT_URL = new URL("../../../", import.meta.url).href;
const PACKAGES_URL = new URL("node_modules/", PROJECT_URL).href;

const planted = new Map<string, PlantedBug>();
/** By what was asked for, and from where. */
const resolutions = new Map<string, ResolveFnOutput>();
/** By file URL: what a module is after its types are stripped. */
const sources = new Map<string, string>();
let graphs = 0;

/**
 * Imports a module with everything it imports from this project again, with the bug in it. Nothing is written:
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

/** Resolving and stripping types would be most of a hunt: each file is looked for and read once. */
function setHooks(): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const label = labelOf(context.parentURL);
      if (label === undefined) {
        return nextResolve(specifier, context);
      }
      const asked = `${specifier} from ${withoutLabel(context.parentURL ?? "")}`;
      const found = resolutions.get(asked) ?? { ...nextResolve(specifier, context), shortCircuit: true };
      resolutions.set(asked, found);
      return isOwn(found.url) ? { ...found, url: `${found.url}?${MARK}=${label}` } : found;
    },
    load(url, context, nextLoad) {
      const label = labelOf(url);
      if (label === undefined) {
        return nextLoad(url, context);
      }
      const fileUrl = withoutLabel(url);
      const bug = planted.get(label);
      const isPlanted = bug !== undefined && fileUrl === PROJECT_URL + bug.file;
      const source = isPlanted ? stripTypeScriptTypes(plantIn(textOf(fileUrl), bug)) : strippedText(fileUrl);
      return { format: "module", source, shortCircuit: true };
    },
  });
}

function strippedText(fileUrl: string): string {
  const source = sources.get(fileUrl) ?? stripTypeScriptTypes(textOf(fileUrl));
  sources.set(fileUrl, source);
  return source;
}

function labelOf(url: string | undefined): string | undefined {
  return url === undefined || !url.startsWith(PROJECT_URL)
    ? undefined
    : (new URL(url).searchParams.get(MARK) ?? undefined);
}

function withoutLabel(url: string): string {
  return url.replace(/\?.*$/, "");
}

function isOwn(url: string): boolean {
  return url.startsWith(PROJECT_URL) && !url.startsWith(PACKAGES_URL);
}

function textOf(fileUrl: string): string {
  return readFileSync(fileURLToPath(fileUrl), "utf8");
}
