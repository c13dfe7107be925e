import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { QUESTIONS } from "./questions.ts";

const PAGE = readFileSync(path.join(import.meta.dirname, "../../docs/iotda-api.md"), "utf8");
const HEADING = /^#{2,3} (\d+(?:\.\d+)?)\.? /;

/** The marks of the page, each with the number of its section: `1.4 marker`. */
function marksOf(page: string): readonly string[] {
  let section = "";
  return page.split("\n").flatMap((line) => {
    section = HEADING.exec(line)?.[1] ?? section;
    // What the tag means is said before the first section.
    const marks = section === "" ? [] : [...line.matchAll(/\(unverified(?:: `([a-z-]+)`)?[^)]*\)/g)];
    return marks.map(([, id]) => `${section} ${id ?? "(without an id)"}`);
  });
}

describe("docs/iotda-api.md and the table of questions", () => {
  test("every mark has a question, and every question its marks", () => {
    const expected = QUESTIONS.flatMap(({ id, sections }) => sections.map((section) => `${section} ${id}`));
    expect([...new Set(marksOf(PAGE))].sort()).toEqual(expected.sort());
  });

  test("nothing else on the page is called unverified without being a mark", () => {
    const [, ...sections] = PAGE.split(/^(?=## \d)/m);
    const bare = sections.join("").replaceAll(/\(unverified: `[a-z-]+`\)/g, "");
    expect(bare.match(/.*unverified.*/g)).toBeNull();
  });

  test("section 7 lists the questions and how each is asked", () => {
    const [, section = ""] = PAGE.split("## 7. To confirm on a live instance");
    const rows = [...section.matchAll(/^\| `.*$/gm)].map(([row]) => row);
    expect(rows).toEqual(
      QUESTIONS.map((one) => {
        const how = one.isAsked ? one.how : `not asked: ${one.how}`;
        return `| \`${one.id}\` | ${one.question} | ${how} |`;
      }),
    );
  });

  test("ids are unique", () => {
    expect(new Set(QUESTIONS.map(({ id }) => id)).size).toBe(QUESTIONS.length);
  });
});

test.each([
  ["a mark without an id", "## 1. A\n\nThis is (unverified).\n", ["1 (without an id)"]],
  ["a mark with an id", "### 1.4 A\n\nThis is (unverified: `marker`) and that.\n", ["1.4 marker"]],
])("%s is found", (_what, page, marks) => {
  expect(marksOf(page)).toEqual(marks);
});
