import fc from "fast-check";
import { expect, test } from "vitest";
import { readLines } from "../../config/env-lines.ts";
import { settingsText } from "./settings-text.ts";

test("what is written is what is read, whatever the value", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme-ascii", maxLength: 40 }), (value) => {
      const settings = {
        ARCHIVER_STORE: "file:///srv/x",
        HUAWEICLOUD_SDK_SK: value,
        ARCHIVER_DELETE: "never",
      };
      let text: string;
      try {
        text = settingsText(settings);
      } catch {
        // No quote is left for it.
        expect(value).toMatch(/'/);
        return;
      }
      expect(readLines("x", text)).toEqual({ settings, problems: [] });
    }),
  );
});

test("the line that keeps every export task says when it may go", () => {
  expect(settingsText({ ARCHIVER_DELETE: "never", ARCHIVER_TIME_ZONE: "UTC" })).toBe(
    `# Settings of iotda-archiver. Keep this file to yourself: it holds keys.
# For the first nights: archive and verify, but delete nothing. Remove the line when the archive looks right.
ARCHIVER_DELETE=never
ARCHIVER_TIME_ZONE=UTC
`,
  );
  expect(settingsText({ ARCHIVER_DELETE: "after-verify" })).not.toContain("first nights");
});
