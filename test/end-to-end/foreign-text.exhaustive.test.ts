import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, type TestContext, test } from "vitest";
import { startArchiver } from "./command-line.ts";
import { finishedExports, type Lab, openLab, PROJECT_ID } from "./lab.ts";

/** As a file's name or a word of a command: colours, clears, rings, adds lines, reorders and hides. */
const ODD_NAME = "\u001b[31m\u009b2J\r\n\u0007\u202e\u2066\u200b\ufeff\u2028\u2029\u{e0041}x";
const ODD = `${ODD_NAME}\ud800`;
const SHOWN =
  "\\u001b[31m\\u009b2J\\u000d\\u000a\\u0007\\u202e\\u2066\\u200b\\ufeff\\u2028\\u2029\\udb40\\udc41x";
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}\n]*$/u;

/** Two policies: one that applies, and one with an odd name in it. */
async function writePolicies({ folder }: Lab): Promise<void> {
  await writeFile(
    join(folder, "policy.json"),
    JSON.stringify({ schemaVersion: 1, rules: [], default: { keepDays: 1, lock: "none" } }),
  );
  await writeFile(join(folder, "odd-policy.json"), JSON.stringify({ schemaVersion: 1, [ODD]: ODD }));
}

/** Everything that somebody else writes and a command shows is odd here. */
async function openOddLab(context: TestContext): Promise<Lab> {
  const lab = await openLab(context, { sandbox: { oddItems: [JSON.stringify({ export_task_id: ODD })] } });
  const settings = {
    ARCHIVER_LOG_LEVEL: "DEBUG",
    ARCHIVER_RETENTION_POLICY: pathToFileURL(join(lab.folder, "policy.json")).href,
  };
  await writePolicies(lab);
  await lab.writeSettings(settings);
  await lab.control.addTasks([
    { exportTaskId: "odd-one", status: ODD, createTime: ODD, condition: { [ODD]: ODD } },
    ...finishedExports(2),
  ]);
  expect((await lab.archiver("run")).exitCode).toBe(0);

  const put = async (key: string, content: unknown) => {
    await mkdir(dirname(join(lab.store.path, key)), { recursive: true });
    await writeFile(join(lab.store.path, key), JSON.stringify(content));
  };
  const hold = { schemaVersion: 1, pattern: "night", reason: ODD, by: ODD, heldAt: new Date().toISOString() };
  await put("holds/night.json", hold);
  await put(`holds/${ODD_NAME}.json`, hold);
  await put(`requests/${ODD_NAME}.json`, {});
  const [first] = await lab.store.archived();
  const revisionFolder = dirname(first?.recordKey ?? "");
  await put(`${revisionFolder}/archived-2.json`, { key: ODD });
  await put(`records/${PROJECT_ID}/default/${ODD_NAME}/00000000/archived.json`, { key: ODD });
  await put(`${dirname(first?.objectKey ?? "")}/${ODD_NAME}.zip`, ODD);
  await put("exports/x/.upload", ODD);
  lab.queue.put(ODD, JSON.stringify({ exportTaskId: "odd-two", [ODD]: ODD }));
  for (const body of [ODD, JSON.stringify({ exportTaskId: "odd-two" })]) {
    lab.queue.putLetter({ body, reason: ODD, detail: ODD });
  }
  return lab;
}

/** What stands in the output, where that is what the command is for. */
const COMMANDS: readonly (readonly [args: readonly string[], shows?: string])[] = [
  [["status"], `1 ${SHOWN}\\ud800`],
  [["hold", "list"], SHOWN],
  [["hold", "add", "night", "--reason", ODD_NAME, "--by", ODD_NAME], SHOWN],
  [["hold", "remove", "no-such-hold", "--reason", ODD_NAME]],
  [["dead-letters", "list"], SHOWN],
  [["dead-letters", "redrive", ODD_NAME], SHOWN],
  [["discover"], "Left alone"],
  [["sweep"]],
  [["verify", "--all"]],
  [["retention", "plan"]],
  [["retention", "sweep"]],
  [["retention", "expire"]],
  [["request", "batch-01"]],
  [["request", ODD_NAME], "\\u202e"],
  [["restore", "export-01", "--to", `${ODD_NAME}/file.zip`]],
  [["dead-letters", "redrive", "--all"]],
  [["archive"]],
  [["run"], "Left alone"],
  [["dead-letters", ODD_NAME], "\\u202e"],
  [[ODD_NAME], "\\u202e"],
  [["status", `--${ODD_NAME}`], "\\u202e"],
];

test("no command shows anything that acts on a terminal, whatever others have written", async (context) => {
  const lab = await openOddLab(context);
  const restored = ["restore", "export-02", "--to", join(lab.folder, `${ODD_NAME}.zip`)];
  for (const [args, shows = ""] of [...COMMANDS, [restored, SHOWN] as const]) {
    const { stdout, stderr } = await lab.archiver(...args);
    expect.soft(stdout + stderr, args.join(" ")).toMatch(PRINTABLE);
    expect.soft(stdout + stderr, args.join(" ")).toContain(shows);
    const inJson = await lab.archiver(...args, "--json");
    expect.soft(inJson.stdout + inJson.stderr, `${args.join(" ")} --json`).toMatch(PRINTABLE);
    expect.soft(() => JSON.parse(inJson.stdout), `${args.join(" ")} --json`).not.toThrow();
  }
});

test.for<[string, Record<string, string>]>([
  ["a value", { ARCHIVER_IOTDA_REGION: ODD_NAME, ARCHIVER_QUEUE: ODD_NAME, ARCHIVER_STORE: ODD_NAME }],
  ["an unknown name", { [`ARCHIVER_${ODD_NAME}`]: "x" }],
  ["the policy", { ARCHIVER_RETENTION_POLICY: "odd-policy.json" }],
])("nor does a refused configuration: %s", async ([_what, changes], context) => {
  const lab = await openLab(context);
  await writePolicies(lab);
  const policy = pathToFileURL(join(lab.folder, changes.ARCHIVER_RETENTION_POLICY ?? "policy.json")).href;
  const environment = lab.settings({ ...changes, ARCHIVER_RETENTION_POLICY: policy });
  for (const args of [["retention", "plan"], ["run"]]) {
    const { stdout, stderr } = await startArchiver(args, environment).ended;
    expect(stdout + stderr).toMatch(PRINTABLE);
  }
  const { stdout, stderr, exitCode } = await startArchiver(["status", "--env-file", ODD_NAME]).ended;
  expect(exitCode).toBe(2);
  expect(stdout + stderr).toMatch(PRINTABLE);
});
