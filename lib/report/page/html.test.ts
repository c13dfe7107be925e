import fc from "fast-check";
import { expect, test } from "vitest";
import { html, type Shown, textOf, trusted } from "./html.ts";

test.each<[string, Shown, string]>([
  ["text", `<b a="1" c='2'>&amp;`, "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;"],
  ["a number", 0, "0"],
  ["what is missing", undefined, ""],
  ["markup", html`<i>${"<"}</i>`, "<i>&lt;</i>"],
  ["a list of markup", [html`<i></i>`, html`<b></b>`], "<i></i><b></b>"],
  ["what is trusted", trusted("a>b{}"), "a>b{}"],
])("%s is written", (_what, value, written) => {
  expect(textOf(html`<p title="${value}">${value}</p>`)).toBe(`<p title="${written}">${written}</p>`);
});

test("line ends of the source are left out", () => {
  expect(
    textOf(html`<p>
      a <b>b</b>
    </p>`),
  ).toBe("<p>a <b>b</b></p>");
});

test("no text leaves its place", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(textOf(html`${text}`)).not.toMatch(/[<>"']/);
    }),
  );
});
