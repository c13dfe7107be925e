import path from "node:path";

/** One source file, its path relative to the project, with forward slashes. */
export interface SourceFile {
  readonly file: string;
  readonly text: string;
}

export const MAX_FILE_LINES = 350;

/**
 * The layers of architecture §3, lowest first. A file may import its own module and every layer below its own;
 * `peers` says whether modules of one layer may import each other.
 */
const LAYERS: readonly { readonly modules: readonly string[]; readonly peers: boolean }[] = [
  { modules: ["lib/domain"], peers: false },
  { modules: ["lib/ports"], peers: false },
  { modules: ["lib/integrity", "lib/observability"], peers: false },
  // What all policies share.
  { modules: ["lib/run", "lib/records", "lib/pacing", "lib/identity"], peers: true },
  // Policies. What needs two of them is put together above.
  {
    modules: ["lib/archive", "lib/catalogue", "lib/discovery", "lib/events", "lib/requests", "lib/retention"],
    peers: false,
  },
  // A night as one value, made of what all policies left behind.
  { modules: ["lib/report"], peers: false },
  // The run of all that with no effects; what is set up, and what will hurt; what the platform answers.
  { modules: ["lib/plan", "lib/doctor", "lib/probe"], peers: false },
  { modules: ["lib/network", "lib/files"], peers: false },
  { modules: ["lib/iotda", "lib/store", "lib/queue", "lib/notify"], peers: false },
  { modules: ["lib/config"], peers: false },
  // What a deployed function does around a run: its host, events, log lines and metrics.
  { modules: ["lib/hosted"], peers: false },
  // What each deployed function does, whichever host calls it.
  { modules: ["lib/functions"], peers: false },
  { modules: ["functions", "lib/functiongraph", "lib/cli"], peers: false },
  // The program around the deployment; it speaks as the command line does.
  { modules: ["deploy"], peers: false },
];

/** The layers that decide and do nothing themselves. */
const POLICY = new Set(LAYERS.slice(3, 7).flatMap(({ modules }) => modules));

/** Observability is passed in; only who passes it may name it. */
const MAY_NAME_OBSERVABILITY = new Set([
  "lib/observability",
  "lib/config",
  "lib/hosted",
  "lib/functions",
  "lib/functiongraph",
  "lib/cli",
  "functions",
]);

/** Node's modules through which policy would act on its own. `node:crypto` hashes and has no effect. */
const EFFECTFUL_MODULES =
  /^(?:node:)?(?:fs|http|https|http2|net|tls|dgram|dns|sqlite|child_process|process|timers|os|worker_threads|cluster|readline|perf_hooks)(?:\/|$)/;

/** Packages that policy may use: they compute, they do nothing. */
const POLICY_PACKAGES: ReadonlySet<string> = new Set(["valibot"]);

/** The module a path belongs to: `lib/archive`, `functions`, `sandbox`, `test` … */
export function moduleOf(file: string): string {
  const [top = "", second = ""] = file.split("/");
  return top === "lib" ? `lib/${second}` : top;
}

/**
 * Every import specifier of a source, types and dynamic ones included; whole-line comments are left out.
 * Prose in a string that reads like an import counts as one: a false alarm is seen, a missed import is not.
 */
export function importSpecifiers(text: string): string[] {
  const code = text.replace(/^[ \t]*(?:\/\/|\*|\/\*).*$/gm, "");
  const patterns = [
    /[}\w*]\s*\bfrom\s+["']([^"'\n]+)["']/g,
    /^[ \t]*import\s+["']([^"'\n]+)["']/gm,
    /\b(?:import|require)\(\s*["'`]([^"'`\n]+)["'`]/g,
  ];
  return patterns.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1] ?? ""));
}

/** What a file breaks, as sentences; none when it keeps every rule. */
export function problemsOfImports({ file, text }: SourceFile): string[] {
  return importSpecifiers(text).flatMap((specifier) => {
    const problem = specifier.startsWith(".")
      ? problemOfProjectImport(file, path.posix.join(path.posix.dirname(file), specifier))
      : problemOfForeignImport(file, specifier);
    return problem === undefined ? [] : [`${file} imports ${specifier}: ${problem}`];
  });
}

function problemOfProjectImport(file: string, target: string): string | undefined {
  const from = moduleOf(file);
  const to = moduleOf(target);
  if (from === to || (from === "lib/cli" && target === "package.json")) {
    // The command line says its version.
    return undefined;
  }
  if (from === "sandbox") {
    return "the sandbox judges the product and shares no code with it";
  }
  const fromLayer = layerOf(from);
  const toLayer = layerOf(to);
  if (fromLayer === undefined) {
    return `${from} has no layer: give it one in test/structure/rules.ts`;
  }
  if (toLayer === undefined) {
    return `${from} may not use ${to}, which is not part of the product`;
  }
  if (to === "lib/observability" && !MAY_NAME_OBSERVABILITY.has(from)) {
    return "observability is passed in";
  }
  if (toLayer === fromLayer && LAYERS[fromLayer]?.peers !== true) {
    return `${from} and ${to} are of one layer and may not know each other`;
  }
  return toLayer > fromLayer ? `${from} is below ${to}` : undefined;
}

function problemOfForeignImport(file: string, specifier: string): string | undefined {
  if (!POLICY.has(moduleOf(file))) {
    return undefined;
  }
  if (EFFECTFUL_MODULES.test(specifier)) {
    return "policy acts through its ports only";
  }
  const isPackage = !specifier.startsWith("node:");
  return isPackage && !POLICY_PACKAGES.has(specifier) ? "policy uses no package but valibot" : undefined;
}

function layerOf(module: string): number | undefined {
  const layer = LAYERS.findIndex(({ modules }) => modules.includes(module));
  return layer === -1 ? undefined : layer;
}

/** Whether a file is policy, which may not touch the globals of `globals.ts`. */
export function isPolicy(file: string): boolean {
  return POLICY.has(moduleOf(file));
}

/** Whether a file holds more lines than one reason to change needs. */
export function problemsOfLength({ file, text }: SourceFile): string[] {
  const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  return lines > MAX_FILE_LINES ? [`${file} has ${lines} lines, more than ${MAX_FILE_LINES}`] : [];
}

/** Whether a file puts a timeout's signal into a composite one, which may be collected before it fires. */
export function problemsOfTimeLimits({ file, text }: SourceFile): string[] {
  const joins = ["AbortSignal.any(", "AbortSignal.timeout("].every((call) => text.includes(call));
  return joins ? [`${file} joins signals with a timeout's: lib/network/time-limit.ts says why not`] : [];
}

/** Words that hide the actor or the number, or that a reader of English stumbles over, and pages that are not here. */
const REFUSED_WORDS =
  /(?<!there )\b(?:is|are) no (?!longer\b|more\b)|\b(?:anew|by itself|nobody|so many)\b|\b(?:design|reference) §/gi;

/** Places of {@link REFUSED_WORDS} in a source or page, as sentences. */
export function problemsOfWords({ file, text }: SourceFile): string[] {
  return text.split("\n").flatMap((line, index) => {
    const words = [...line.matchAll(REFUSED_WORDS)].map(([found]) => found);
    return words.map((word) => `${file}:${index + 1} says "${word.trim()}"`);
  });
}
