import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { columnsOf, createOutput, lineWriter, shownSecrets } from "./output.ts";
import { wrapped } from "./wrapping.ts";

test("only a terminal has columns, and one too narrow for words has none", () => {
  expect(columnsOf({ isTTY: true, columns: 80 })).toBe(80);
  expect(columnsOf({ isTTY: false, columns: 80 })).toBeUndefined();
  expect(columnsOf({ isTTY: true, columns: 0 })).toBeUndefined();
  expect(columnsOf({ columns: 80 })).toBeUndefined();
  const long = "word ".repeat(40);
  expect(wrapped(long, undefined)).toBe(long);
});

test("lines are broken to the terminal's width as it is then, and nowhere else", async () => {
  const texts: string[] = [];
  const screen = { isTTY: true, columns: 80, write: (text: string) => texts.push(text) };
  const write = await lineWriter(screen);
  write(["one two three four five"]);
  screen.columns = 20;
  write(["one two three four five"]);
  const writeToFile = await lineWriter({ columns: 20, write: screen.write });
  writeToFile(["one two three four five"]);
  expect(texts).toEqual([
    "one two three four five\n",
    "one two three four\n  five\n",
    "one two three four five\n",
  ]);
});

test.each([
  [true, "plain \\u001b[32m\\u000a\n\u001b[31mfailed: \\u202e\u001b[39m\n"],
  [false, "plain \\u001b[32m\\u000a\nfailed: \\u202e\n"],
])(
  "a terminal (%s) gets this program's own colours only, and a line is one line",
  async (isTTY, expected) => {
    const texts: string[] = [];
    const stream = new Writable({
      decodeStrings: false,
      write(text: string, _encoding, done) {
        texts.push(text);
        done();
      },
    });
    const write = await lineWriter(Object.assign(stream, { isTTY, columns: 80, getColorDepth: () => 8 }));
    write(["plain \u001b[32m\n", { text: "failed: \u202e", colour: "red" }]);
    expect(texts.join("")).toBe(expected);
  },
);

const SECRET = "plantedEventSecret0123456789";

test("a secret of this process is in no line and no document, and a short one changes no result", async () => {
  shownSecrets.learn([SECRET, "test"]);
  const shown: string[] = [];
  const screen = { write: (text: string) => shown.push(text) };
  (await lineWriter(screen))([`body: ${SECRET}`, { text: `in red: ${SECRET}`, colour: "red" }]);
  await (await createOutput(screen, false)).show({ document: {}, lines: [`body: ${SECRET}`] });
  await (await createOutput(screen, true)).show({
    document: { body: `{"a":"${SECRET}"}`, store: "s3://test", sizeBytes: 1 },
    lines: [],
  });
  expect(shown.join("")).not.toContain(SECRET);
  expect(JSON.parse(shown.at(-1) ?? "")).toEqual({
    body: '{"a":"[redacted]"}',
    store: "s3://test",
    sizeBytes: 1,
  });
  expect(shownSecrets.result("s3://test")).toBe("s3://test");
});
