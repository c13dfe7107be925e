import { expect, test } from "vitest";
import { columnsOf, textWriter } from "./terminal.ts";
import { wrapped } from "./wrapping.ts";

test("only a terminal has columns, and one too narrow for words has none", () => {
  expect(columnsOf({ isTTY: true, columns: 80 })).toBe(80);
  expect(columnsOf({ isTTY: false, columns: 80 })).toBeUndefined();
  expect(columnsOf({ isTTY: true, columns: 0 })).toBeUndefined();
  expect(columnsOf({ columns: 80 })).toBeUndefined();
  const long = "word ".repeat(40);
  expect(wrapped(long, undefined)).toBe(long);
});

test("text is broken to the terminal's width as it is then, and nowhere else", async () => {
  const texts: string[] = [];
  const screen = { isTTY: true, columns: 80, write: (text: string) => texts.push(text) };
  const write = await textWriter(screen);
  write("one two three four five\n");
  screen.columns = 20;
  write("one two three four five\n");
  const writeToFile = await textWriter({ columns: 20, write: screen.write });
  writeToFile("one two three four five\n");
  expect(texts).toEqual([
    "one two three four five\n",
    "one two three four\n  five\n",
    "one two three four five\n",
  ]);
});
