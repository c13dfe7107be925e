import { readFile } from "node:fs/promises";
import { parseEnv } from "node:util";
import { expect, test } from "vitest";

const ROOT = new URL("../../", import.meta.url);

/** The first two blocks of the section: for a bucket of the stack, and what OBS adds. */
async function sampleSettings(): Promise<Record<string, string | undefined>> {
  const page = await readFile(new URL("docs/deploy.md", ROOT), "utf8");
  const [, section = ""] = page.split("## The CLI on a deployment");
  const blocks = [...section.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = ""]) => block);
  return { ...parseEnv(blocks[0] ?? ""), ...parseEnv(blocks[1] ?? "") };
}

test("the settings that people give the CLI on a deployment are all those of its functions, and delete nothing", async () => {
  const deployed = await readFile(new URL("deploy/environment.yml", ROOT), "utf8");
  const names = [...deployed.matchAll(/^ +((?:ARCHIVER|AWS)_\w+):/gm)].map(([, name = ""]) => name);
  const settings = await sampleSettings();
  expect(Object.keys(settings).sort()).toEqual([...new Set([...names, "AWS_REGION"])].sort());
  // What the stages begin with.
  expect(settings).toMatchObject({
    ARCHIVER_ARCHIVE_ID: "",
    ARCHIVER_DELETE: "never",
    ARCHIVER_IOTDA_INSTANCE_ID: "",
    ARCHIVER_STORE: "s3://…",
  });
});
