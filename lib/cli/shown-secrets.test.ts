import { expect, test } from "vitest";
import { createOutput } from "./output.ts";
import { hideSecrets, withoutSecrets } from "./shown-secrets.ts";
import { lineWriter } from "./terminal.ts";

const SECRET = "plantedEventSecret0123456789";

test("a secret of this process is in no line and no document, and a short one changes no result", async () => {
  hideSecrets([SECRET, "test"]);
  const shown: string[] = [];
  const screen = { write: (text: string) => shown.push(text) };
  (await lineWriter(screen))([`body: ${SECRET}`, { text: `in red: ${SECRET}`, colour: "red" }]);
  (await createOutput(screen, false)).show({}, [`body: ${SECRET}`]);
  (await createOutput(screen, true)).show(
    { body: `{"a":"${SECRET}"}`, store: "s3://test", sizeBytes: 1 },
    [],
  );
  expect(shown.join("")).not.toContain(SECRET);
  expect(JSON.parse(shown.at(-1) ?? "")).toEqual({
    body: '{"a":"[redacted]"}',
    store: "s3://test",
    sizeBytes: 1,
  });
  expect(withoutSecrets("s3://test")).toBe("s3://test");
});
