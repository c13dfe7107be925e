// Builds what is deployed and run (architecture §6.5): dist/functions/*.mjs and dist/cli.mjs, each in one file
// that needs nothing beside it. Run by `npm run build`.
import { chmod, readdir, rm } from "node:fs/promises";
import { isBuiltin } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { type BuildOptions, build, type Metafile, type Plugin } from "esbuild";

/** CommonJS packages (commander) call `require` for Node's own modules; an ES module has none. */
const REQUIRE_FOR_COMMONJS =
  'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);';

const SHARED = {
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node22",
  // The ES module builds of the AWS SDK are 27–41 % smaller in a bundle.
  mainFields: ["module", "main"],
  sourcemap: "linked",
  outExtension: { ".js": ".mjs" },
  banner: { js: REQUIRE_FOR_COMMONJS },
  legalComments: "none",
  // Chinese letters take half the bytes that their escapes take.
  charset: "utf8",
  metafile: true,
  logLevel: "warning",
} as const satisfies BuildOptions;

/** Modules an old Node does not have: a static import of one would fail before the version check speaks. */
const LAZY_ONLY: ReadonlySet<string> = new Set(["node:sqlite", "sqlite"]);

/**
 * Node's own modules, each loaded when something of it is first used. An ES import loads a module at once and reads
 * every export there is: `node:http` then brings undici, and `node:https` all of TLS for a command that asks for help.
 */
const BUILT_INS_LATE: Plugin = {
  name: "built-ins-late",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(?:node:)?[a-z0-9_/]+$/ }, ({ path: name }) =>
      isBuiltin(name) && !LAZY_ONLY.has(name)
        ? { path: `node:${name.replace(/^node:/, "")}`, namespace: "built-in" }
        : undefined,
    );
    onLoad({ filter: /.*/, namespace: "built-in" }, ({ path: name }) => ({ contents: builtInLate(name) }));
  },
};

/** @returns a CommonJS module with the exports of the built-in one, as this Node has them. */
function builtInLate(name: string): string {
  const loaded: object | undefined = process.getBuiltinModule(name);
  const load = `process.getBuiltinModule(${JSON.stringify(name)})`;
  // A class or an emitter, such as node:events and node:process, is more than its exports.
  if (loaded === undefined || Object.getPrototypeOf(loaded) !== Object.prototype) {
    return `module.exports = ${load};`;
  }
  const names = JSON.stringify(Object.keys(loaded).join());
  return `let loaded;
    for (const name of ${names}.split(",")) {
      Object.defineProperty(exports, name, { enumerable: true, get: () => (loaded ??= ${load})[name] });
    }`;
}

/** Functions load the AWS SDK in any case. Imported at once, it is left out of the bundle where nothing calls it. */
const SDK_AT_ONCE: Plugin = {
  name: "sdk-at-once",
  setup({ onResolve }) {
    onResolve({ filter: /\/sdk-adapters\.ts$/ }, ({ path: name, resolveDir }) => ({
      path: path.join(resolveDir, name.replace(".ts", "-at-once.ts")),
    }));
  },
};

/** Signing in is for people: a function that has no role of its own can only be told so. */
const NO_SIGN_IN = `const refuse = () => async () => {
    const problem = "a function takes no credentials that a person signed in for";
    throw Object.assign(new Error(problem), { name: "CredentialsProviderError" });
  };
  export { refuse as fromSSO, refuse as fromLoginCredentials };`;

/** What no function does, and what would be a third of the largest one of Lambda: signing in with a browser, and mail by SMTP. */
const NO_SIGN_IN_FOR_PEOPLE: Plugin = {
  name: "no-sign-in-for-people",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@aws-sdk\/credential-provider-(?:sso|login)$/ }, ({ path: name }) => ({
      path: name,
      namespace: "sign-in",
    }));
    onLoad({ filter: /.*/, namespace: "sign-in" }, () => ({ contents: NO_SIGN_IN }));
  },
};
const NO_MAIL_BY_SMTP: Plugin = {
  name: "no-mail-by-smtp",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/mail\.ts$/ }, ({ resolveDir }) => ({
      path: path.join(resolveDir, "mail-elsewhere.ts"),
    }));
  },
};

/**
 * Builds everything into `outFolder` of the project at `root`, which is emptied first.
 *
 * @returns the entry files written, relative to `outFolder`, in order.
 * @throws when a source does not build, or when the command line imports a lazy-only module statically.
 */
export async function buildAll(root: string, outFolder: string): Promise<string[]> {
  await rm(outFolder, { recursive: true, force: true });
  const functions = await functionFiles(path.join(root, "functions"));
  if (functions.length > 0) {
    await build({
      ...SHARED,
      absWorkingDir: root,
      entryPoints: functions.map((file) => path.join("functions", file)),
      outdir: path.join(outFolder, "functions"),
      minify: true,
      plugins: [BUILT_INS_LATE, SDK_AT_ONCE, NO_SIGN_IN_FOR_PEOPLE, NO_MAIL_BY_SMTP],
    });
  }
  await buildCommandLine(root, path.join(outFolder, "cli.mjs"));
  return [...functions.map((file) => path.join("functions", file.replace(/\.ts$/, ".mjs"))), "cli.mjs"];
}

/**
 * Builds the command line of the project at `root` into one executable file.
 *
 * @param minify reading half the text takes a tenth less of a start. Without it the modules keep their names.
 * @throws when a source does not build, or imports a lazy-only module statically.
 */
export async function buildCommandLine(root: string, outFile: string, minify = true): Promise<void> {
  const { metafile } = await build({
    ...SHARED,
    absWorkingDir: root,
    entryPoints: ["lib/cli/main.ts"],
    outfile: outFile,
    minify,
    plugins: [BUILT_INS_LATE],
    // A small young generation makes Node look sooner for spent network buffers (docs/decisions.md). Without the --,
    // Node takes our own --env-file for its own, and a missing file ends it with exit 9.
    banner: { js: `#!/usr/bin/env -S node --max-semi-space-size=1 --\n${REQUIRE_FOR_COMMONJS}` },
  });
  refuseStaticImports(metafile);
  await chmod(outFile, 0o755);
}

/**
 * Builds the program that FunctionGraph runs, all functions in one file; its instance loads one of them. Beside a Node of
 * 120 MB their size does not matter, and no SNS sends mails there: so mail by SMTP is in it.
 *
 * @throws when a source does not build.
 */
export async function buildForFunctionGraph(root: string, outFile: string): Promise<void> {
  await build({
    ...SHARED,
    absWorkingDir: root,
    entryPoints: ["lib/functiongraph/main.ts"],
    outfile: outFile,
    minify: true,
    sourcemap: false,
    plugins: [BUILT_INS_LATE, SDK_AT_ONCE, NO_SIGN_IN_FOR_PEOPLE],
  });
}

/** The deployed functions: one file each, tests left out. None while there is no such folder. */
async function functionFiles(folder: string): Promise<string[]> {
  const found = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") {
      return [];
    }
    throw error;
  });
  return found
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts"))
    .map((entry) => entry.name)
    .sort();
}

function refuseStaticImports(metafile: Metafile): void {
  for (const [file, { imports }] of Object.entries(metafile.outputs)) {
    const hoisted = imports.find((one) => one.kind === "import-statement" && LAZY_ONLY.has(one.path));
    if (hoisted !== undefined) {
      throw new Error(
        `${file} imports ${hoisted.path} statically: import it with await import(…) where it is used`,
      );
    }
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const root = import.meta.dirname;
  const written = await buildAll(root, path.join(root, "dist"));
  process.stdout.write(`${written.map((file) => `dist/${file}`).join("\n")}\n`);
}
