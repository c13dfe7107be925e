import { existsSync } from "node:fs";
import { glob, readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { EXIT } from "../lib/cli/process.ts";
import type { KeepReason, StopReason, TaskOutcome } from "../lib/records/run-report.ts";
import { DEAD_LETTER_REASONS } from "./dead-letter-reasons.ts";

const ROOT = path.join(import.meta.dirname, "..");
const PAGES = ["*.md", "{docs,bench,sandbox,examples,deploy}/**/*.md"];
/** Words of each type; complete by their types. */
const STOP_REASONS: Readonly<Record<StopReason, true>> = {
  drained: true,
  "time-budget": true,
  "system-failure": true,
  aborted: true,
  "no-pressure": true,
};
const OUTCOMES: Readonly<Record<TaskOutcome, true>> = {
  "archived-deleted": true,
  "archived-kept": true,
  deleted: true,
  "already-done": true,
  postponed: true,
  retried: true,
  "dead-lettered": true,
};
const KEEP_REASONS: Readonly<Record<KeepReason, true>> = {
  "copy-cold": true,
  "delete-disabled": true,
  hold: true,
  expired: true,
  sibling: true,
  "odd-list": true,
};

async function read(page: string): Promise<string> {
  return await readFile(path.join(ROOT, page), "utf8");
}

async function pages(): Promise<string[]> {
  const found: string[] = [];
  for await (const page of glob(PAGES, { cwd: ROOT })) {
    found.push(page.replaceAll(path.sep, "/"));
  }
  return found.sort();
}

function withoutFences(text: string): string {
  return text.replaceAll(/^```.*?^```/gms, "");
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchors(text: string): string[] {
  return [...withoutFences(text).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** A link inside the repository that leads nowhere, as a sentence. */
async function problemOfLink(page: string, target: string): Promise<string | undefined> {
  const [file = "", anchor] = target.split("#");
  const linked = file === "" ? page : path.posix.join(path.posix.dirname(page), file);
  if (!existsSync(path.join(ROOT, linked))) {
    return `${page}: ${target} does not exist`;
  }
  if (anchor !== undefined && !anchors(await read(linked)).includes(anchor)) {
    return `${page}: ${linked} has no heading for #${anchor}`;
  }
  return undefined;
}

/** The targets of a page's links into the repository. */
async function linksOf(page: string): Promise<string[]> {
  return [...withoutFences(await read(page)).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

async function problemsOfLinks(page: string): Promise<string[]> {
  const problems = await Promise.all((await linksOf(page)).map((target) => problemOfLink(page, target)));
  return problems.filter((problem) => problem !== undefined);
}

/** A link to a folder shows the folder's README. */
async function pagesLinkedFrom(page: string): Promise<string[]> {
  const known = await pages();
  const targets = (await linksOf(page)).map((target) =>
    path.posix.join(path.posix.dirname(page), target.replace(/#.*$/, "")),
  );
  return targets.flatMap((target) =>
    known.filter((one) => one === target || one === path.posix.join(target, "README.md")),
  );
}

describe("the documents", () => {
  test("link to files and headings that exist", async () => {
    const problems = await Promise.all((await pages()).map(problemsOfLinks));
    expect(problems.flat()).toEqual([]);
  });

  test("are all reached from the README", async () => {
    const reached = new Set<string>();
    const next = ["README.md"];
    for (let page = next.pop(); page !== undefined; page = next.pop()) {
      if (!reached.has(page)) {
        reached.add(page);
        next.push(...(await pagesLinkedFrom(page)));
      }
    }
    expect((await pages()).filter((page) => !reached.has(page))).toEqual([]);
  });
});

test("the GitHub workflow runs what .ci/run runs", async () => {
  const workflow = await read(".github/workflows/ci.yml");
  const script = await read(".ci/run");
  const steps = [...workflow.matchAll(/^ +- run: (.+)$/gm)].map(([, command = ""]) => command);
  const commands = script.split("\n").filter((line) => /^(?:[A-Z_]+=\S+ )*npm /.test(line));
  expect([...new Set(steps)]).toEqual(commands);
});

describe("docs/architecture.md", () => {
  test("places every folder of lib/", async () => {
    const page = await read("docs/architecture.md");
    const entries = await readdir(path.join(ROOT, "lib"), { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => `lib/${name}`);
    expect(folders.filter((folder) => !page.includes(folder))).toEqual([]);
  });

  test.each([
    ["dead-letter reason", DEAD_LETTER_REASONS],
    ["stop reason", Object.keys(STOP_REASONS)],
    ["outcome", Object.keys(OUTCOMES)],
  ])("names every %s", async (_kind, words) => {
    const page = await read("docs/architecture.md");
    expect(words.filter((word) => !page.includes(`\`${word}\``))).toEqual([]);
  });

  test("names every reason to keep a task", async () => {
    const page = await read("docs/architecture.md");
    expect(Object.keys(KEEP_REASONS).filter((reason) => !page.includes(`keep: ${reason}`))).toEqual([]);
  });
});

test("the doctor's checks name pages and headings that exist", async () => {
  const named: string[] = [];
  for await (const file of glob("lib/doctor/*.ts", { cwd: ROOT })) {
    named.push(
      ...[...(await read(file)).matchAll(/documentation: "([^"]+)"/g)].map(([, place = ""]) => place),
    );
  }
  expect(named.length).toBeGreaterThan(30);
  const problems = await Promise.all(named.map((place) => problemOfLink("README.md", place)));
  expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
});

test("the README's exit codes are those of the program", async () => {
  const readme = await read("README.md");
  const rows = [...readme.matchAll(/^\| (\d+) \| /gm)].map(([, code]) => Number(code));
  expect(rows).toEqual([...new Set(Object.values(EXIT))].sort((a, b) => a - b));
});
