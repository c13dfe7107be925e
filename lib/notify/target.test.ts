import { expect, test } from "vitest";
import { namedApart, parseTarget } from "./target.ts";

test.each([
  ["https://h.example/x?k=1", { kind: "json", name: "json h.example", address: "https://h.example/x?k=1" }],
  [
    "dingtalk+https://h.example:8443",
    { kind: "dingtalk", name: "dingtalk h.example:8443", address: "https://h.example:8443/" },
  ],
  ["mailto:a.b+c@h.example", { kind: "mail", name: "mail h.example", address: "a.b+c@h.example" }],
])("%s is a target", (text, target) => {
  expect(parseTarget(text)).toEqual(target);
});

test.each([
  "",
  "https://",
  "javascript:alert(1)",
  "mailto:",
  "mailto:a@b?bcc=c@d",
  "mailto:a@b,c@d",
  "sns:",
  "json+https://h",
])("%j is none", (text) => {
  expect(parseTarget(text)).toBeUndefined();
});

test("targets of one kind and host are told apart by a number", () => {
  const target = { kind: "json", name: "json h", address: "" } as const;
  expect(namedApart([target, target, { ...target, name: "json i" }, target]).map(({ name }) => name)).toEqual(
    ["json h", "json h (2)", "json i", "json h (3)"],
  );
});
