import path from "node:path";
import { importSpecifiers, type SourceFile } from "./rules.ts";

/** The folders of suites that span modules; CONTRIBUTING says what each of them tests. */
const SUITES = ["contract", "end-to-end", "huawei", "policy", "simulation", "template"];

/** Units may be tested with these parts of the simulated world: none of them knows a platform, store or queue. */
const TOOLS_OF_THE_WORLD = new Set(["port-errors", "seeded-random", "virtual-clock"]);

/** Whether a test lies where its file or its suite is, and whether a unit test builds the simulated world. */
export function problemsOfTestPlaces({ file, text }: SourceFile, files: ReadonlySet<string>): string[] {
  const isTest = file.endsWith(".test.ts");
  const [top = "", suite = ""] = file.split("/");
  if (top === "test" && suite !== "world") {
    return !isTest || suite === path.posix.basename(file) || SUITES.includes(suite)
      ? []
      : [`${file} is in no suite: CONTRIBUTING.md lists them`];
  }
  const problems =
    isTest && !filesTestedBy(file).some((tested) => files.has(tested))
      ? [`${file} has no ${filesTestedBy(file).at(-1)} beside it`]
      : [];
  if (top !== "test" && (isTest || file.includes("/testing/"))) {
    const worldly = importSpecifiers(text).filter((specifier) => {
      const [, part] = /\/test\/(?:world|policy)\/(.+)\.ts$/.exec(specifier) ?? [];
      return part !== undefined && !TOOLS_OF_THE_WORLD.has(part);
    });
    problems.push(...worldly.map((specifier) => `${file} imports ${specifier}: it belongs in test/policy`));
  }
  return problems;
}

/** `a.b.test.ts` tests `a.b.ts` or a topic of `a.ts`. */
function filesTestedBy(file: string): string[] {
  const { dir, base } = path.posix.parse(file);
  const parts = base.replace(/\.test\.ts$/, "").split(".");
  return parts.map((_, index) => `${dir}/${parts.slice(0, parts.length - index).join(".")}.ts`);
}
