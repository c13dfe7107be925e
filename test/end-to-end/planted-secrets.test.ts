import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startArchiver } from "./command-line.ts";
import { callFresh } from "./function-host.ts";
import { ACCOUNT, finishedExports, type Lab, openLab } from "./lab.ts";

const SECRET = ACCOUNT.sk;

/** What the program itself wrote into the store and the queue; `archived.json` has what the platform lists, verbatim. */
async function writtenBy(lab: Lab): Promise<readonly (readonly [name: string, text: string])[]> {
  const keys = (await lab.store.keys("")).filter(
    (key) => !key.startsWith("exports/") && !key.endsWith(`${SECRET}.yaml`),
  );
  const documents = await Promise.all(
    keys.map(async (key) => [key, await readFile(join(lab.store.path, key), "utf8")] as const),
  );
  return [...documents, ["the queue", JSON.stringify([lab.queue.letters(), lab.queue.messages()])]];
}

test.concurrent("a configured secret in words of others is in no record, letter, report or output", async (context) => {
  const lab = await openLab(context, { settings: { ARCHIVER_DELETE: "never" } });
  await lab.control.addTasks(finishedExports(1));
  await lab.archiver("run");
  // As it is, and in JSON within a text.
  lab.queue.put(
    `no message ${SECRET}`,
    JSON.stringify({ exportTaskId: "a/b", note: JSON.stringify({ SECRET }) }),
  );
  await mkdir(join(lab.store.path, "holds"), { recursive: true });
  await writeFile(join(lab.store.path, "holds", `x${SECRET}.yaml`), "odd");
  const said: string[] = [];
  const say = async (...args: readonly string[]) => {
    const { stdout, stderr, exitCode } = await lab.archiver(...args);
    said.push(stdout, stderr);
    return exitCode;
  };
  expect(await say("run", "--json")).toBe(3);
  const letters = lab.queue.letters();
  expect(letters.map(({ reason }) => reason)).toEqual(["unreadable", "unreadable"]);
  lab.queue.putLetter({ body: SECRET, reason: "unreadable", detail: SECRET });
  const ids = [...letters.map(({ id }) => String(id)), String((letters.at(-1)?.id ?? 0) + 1)];
  expect(await say("dead-letters", "dismiss", ...ids, "--reason", `key ${SECRET}`)).toBe(0);
  for (const reason of [SECRET, `${SECRET} again`]) {
    expect(await say("hold", "add", "export-01", "--reason", reason, "--by", SECRET)).toBe(0);
  }
  expect(await say("hold", "remove", "export-01", "--reason", SECRET)).toBe(0);
  for (const name of ["discover", "archive"]) {
    const { returned, log } = await callFresh(lab.settings({ ARCHIVER_DELETE: "never" }), name);
    expect(JSON.stringify(returned).includes("[redacted]")).toBe(name === "discover");
    said.push(JSON.stringify(returned), log);
  }
  const written = await writtenBy(lab);
  expect(written.filter(([, text]) => text.includes("[redacted]")).length).toBeGreaterThan(6);
  expect(written.filter(([, text]) => text.includes(SECRET)).map(([name]) => name)).toEqual([]);
  expect(said.filter((text) => text.includes(SECRET))).toEqual([]);
});

test.concurrent("nor does the report of a night show one that somebody gave a batch task for a name", async (context) => {
  const lab = await openLab(context);
  await lab.control.addTasks(finishedExports(1, { condition: { task_id: `batch ${SECRET}` } }));
  await lab.archiver("run");
  const { stdout, stderr } = await lab.archiver("report");
  const pages = (await lab.store.keys("reports/")).map((key) => readFile(join(lab.store.path, key), "utf8"));
  const written = await Promise.all(pages);
  expect(written.filter((text) => text.includes("[redacted]"))).toHaveLength(3);
  expect([...written, stdout, stderr].filter((text) => text.includes(SECRET))).toEqual([]);
});

test.concurrent.each([
  [["run", `--${SECRET}`]],
  [[SECRET]],
  [["request", `${SECRET}/x`]],
  [["run", "--config", `/nowhere/${SECRET}`]],
])("nor does a refused command show it: %j", async (args) => {
  const { exitCode, stdout, stderr } = await startArchiver([...args, "--json"], {
    HUAWEICLOUD_SDK_SK: SECRET,
  }).ended;
  expect(exitCode).toBe(2);
  expect(stdout + stderr).toContain("[redacted]");
  expect(stdout + stderr).not.toContain(SECRET);
});

test.concurrent("an address that somebody is told at is shown no more than a key, wherever it was pasted", async (context) => {
  const token = "T0ken-of-a-hook-0123456789";
  const lab = await openLab(context, {
    settings: {
      ARCHIVER_DELETE: "never",
      // Port 9 takes nothing: each ping and each message fails, and is told of.
      ARCHIVER_HEARTBEAT_URL: `http://127.0.0.1:9/${token}`,
      ARCHIVER_NOTIFY: `slack+http://127.0.0.1:9/services/${token},mailto:watch-${token}@example.org`,
      ARCHIVER_SMTP: `smtp://watch:${token}@127.0.0.1:9`,
      ARCHIVER_LOG_LEVEL: "DEBUG",
    },
  });
  await lab.control.addTasks(finishedExports(1));
  const said: string[] = [];
  const say = async (...args: readonly string[]) => {
    const { stdout, stderr } = await lab.archiver(...args);
    said.push(stdout, stderr);
  };
  await say("run");
  await say("hold", "add", "export-01", "--reason", `see https://chat.example/${token}`);
  await Promise.all([
    say("run", "--json"),
    say("notify", "test"),
    say("notify", "test", "--json"),
    say("hold", "list"),
  ]);
  expect(said.join("")).toContain("slack 127.0.0.1:9: the receiver could not be reached (ECONNREFUSED)");
  expect(said.join("")).toContain("The heartbeat was not taken (success): the receiver could not be reached");
  expect(said.filter((text) => text.includes(token))).toEqual([]);
  expect((await writtenBy(lab)).filter(([, text]) => text.includes(token))).toEqual([]);
});
