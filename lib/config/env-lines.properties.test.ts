import { parseEnv } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readLines } from "./env-lines.ts";

const SPACES = [..." \t\v\f\u0085\u00A0\u1680\u2003\u2028\u2029\u202F\u205F\u3000\uFEFF\u200B\u2060\u00AD\0"];
const BREAKS = ["\n", "\n", "\r\n", "\r"];
const MARKS = ["=", "= ", "=\t", "'", '"', "`", "#", " #", "\\n", "\\", "$", ";", ":", "export ", "export\t"];
const WORDS = ["A", "B_1", "NO_PROXY", "AWS_PROFILE", "ARCHIVER_STORE", "x", "never", "é", "export"];

const pieces = fc.array(fc.constantFrom(...SPACES, ...BREAKS, ...MARKS, ...WORDS, " ", "\n"), {
  maxLength: 9,
});
const text = pieces.map((all) => all.join(""));
/** Sets a name that nothing else in the text sets. */
const SETS = "ARCHIVER_DELETE=never";

test("whatever stands above and below a line, it sets its value or there is a problem", () => {
  fc.assert(
    fc.property(text, text, (above, below) => {
      const { settings, problems } = readLines("file", `${above}\n${SETS}\n${below}`);
      expect(problems.length > 0 || settings.ARCHIVER_DELETE === "never").toBe(true);
    }),
    { numRuns: 5_000 },
  );
});

test("whatever stands before a name, around export or around =, it is set or there is a problem", () => {
  const space = fc.oneof(fc.constantFrom(...SPACES, ...BREAKS), fc.string({ unit: "binary", maxLength: 2 }));
  const line = fc
    .tuple(space, fc.constantFrom("", "export"), space, space, space, space)
    .map(([a, word, b, c, d, e]) => `${a}${word}${b}ARCHIVER_DELETE${c}=${d}never${e}`)
    .filter((written) => !/^[ \t]*#/m.test(written));
  fc.assert(
    fc.property(line, text, (written, above) => {
      const { settings, problems } = readLines("file", `${above}\n${written}\n`);
      const value = settings.ARCHIVER_DELETE;
      // A value with more in it, or another name, is judged where values and names are.
      expect(
        problems.length > 0 || Object.keys(settings).some((name) => name.includes("ARCHIVER_DELETE")),
      ).toBe(true);
      expect(value === undefined || problems.length > 0 || value.includes("never")).toBe(true);
    }),
    { numRuns: 5_000 },
  );
});

test("a file without problems says what Node's own reader takes from it, where that loses nothing", () => {
  // Node takes what stands below an empty value into it, and reads some comments and exports as names.
  const isLost = (written: string) => /=[ \t]+(?:\r?\n|$|#)|export|^[ \t]+#/m.test(written);
  fc.assert(
    fc.property(text, (written) => {
      const { settings, problems } = readLines("file", written);
      fc.pre(problems.length === 0 && !isLost(written));
      expect(settings).toEqual({ ...parseEnv(written) });
    }),
    { numRuns: 5_000 },
  );
});

const SOME_SHOW_A_BREAK = ["\r", "\v", "\f", "\u0085", "\u2028", "\u2029"];

test.each(SOME_SHOW_A_BREAK)("a line that some editors show below %j is not lost", (character) => {
  for (const written of [`A=1${character}${SETS}`, `# note${character}${SETS}`, `A='1${character}${SETS}'`]) {
    const fix = "Write the line again, with nothing but spaces between its words.";
    expect(readLines("file", written).problems).toMatchObject([{ name: "file, line 1", fix }]);
  }
});

test.each(SPACES.slice(2))("%j before a name is named", (character) => {
  const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
  for (const written of [`${character}${SETS}`, `export${character}${SETS}`, `export ${character}${SETS}`]) {
    expect(readLines("file", `A=1\n${written}`)).toMatchObject({
      settings: { A: "1" },
      problems: [{ name: "file, line 2", problem: `has the character U+${code}, which is invisible` }],
    });
  }
});
