import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, type TestContext, test } from "vitest";
import { type Answer, drops, floods, Receiver, saying } from "../../lib/notify/testing/receiver.ts";
import { callFresh } from "./function-host.ts";
import { finishedExports, type Lab, openLab } from "./lab.ts";

const TOKEN = "5f2d9c3a-1b2c-4d4e-8f6a-planted00001";

/** A lab with a finished export, and a check that answers so. */
async function openWatchedLab(
  context: Pick<TestContext, "onTestFinished">,
  answer: Answer,
): Promise<{ lab: Lab; watched: Record<string, string>; pings: () => string[] }> {
  const receiver = await Receiver.open(answer);
  context.onTestFinished(() => receiver[Symbol.asyncDispose]());
  const settings = { ARCHIVER_HEARTBEAT_URL: `${receiver.origin}/${TOKEN}` };
  const lab = await openLab(context, { settings });
  await lab.control.addTasks(finishedExports(1));
  return {
    lab,
    watched: lab.settings(settings),
    pings: () => receiver.received.map(({ path, body }) => `${path} ${body.split("\n")[0]}`.trim()),
  };
}

describe.concurrent("a run pings its check", () => {
  test("before it, and with success after its last acknowledgement", async (context) => {
    const queued: number[] = [];
    const answer: Answer = (response, number) => {
      queued.push(number === 1 ? 0 : lab.queue.messages().length);
      saying(200)(response, number);
    };
    const { lab, pings } = await openWatchedLab(context, answer);
    expect(await lab.archiver("run")).toMatchObject({ exitCode: 0 });
    expect(pings()).toEqual([
      `/${TOKEN}/start`,
      expect.stringMatching(
        new RegExp(`^/${TOKEN} 1 archived \\([\\d.]+ KiB\\), 1 deleted, 0 kept, 0 given up$`),
      ),
    ]);
    expect(queued).toEqual([0, 0]);
  });

  test("with /fail after a system failure", async (context) => {
    const { lab, pings } = await openWatchedLab(context, saying(200));
    await rm(join(lab.store.path, "archive.json"));
    expect(await lab.archiver("archive")).toMatchObject({ exitCode: 1 });
    expect(pings()).toEqual([`/${TOKEN}/start`, expect.stringMatching(/\/fail System failure no-archive: /)]);
  });

  test("as a function too; discover tells of failures alone", async (context) => {
    const { lab, watched, pings } = await openWatchedLab(context, saying(200));
    await callFresh(watched, "discover");
    expect(pings()).toEqual([]);
    const archived = await callFresh(watched, "archive");
    expect(archived.returned).toMatchObject({ stopReason: "drained", counts: { archived: 1 } });
    expect(pings().map((ping) => ping.split(" ")[0])).toEqual([`/${TOKEN}/start`, `/${TOKEN}`]);
    await rm(join(lab.store.path, "archive.json"));
    await callFresh(watched, "discover");
    expect(pings().at(-1)).toContain(`/${TOKEN}/fail System failure no-archive`);
    expect(archived.log + JSON.stringify(archived.returned)).not.toContain(TOKEN);
  });
});

describe.concurrent("a check that does not take the pings changes no outcome, and is not shown", () => {
  test.for<[string, Answer]>([
    ["redirects", saying(302, "", { location: "/elsewhere" })],
    ["fails", saying(500)],
    ["drops connections", drops],
    ["floods", floods(404)],
  ])("when it %s", async ([_what, answer], context) => {
    const { lab, pings } = await openWatchedLab(context, answer);
    const { exitCode, stdout, stderr } = await lab.archiver("run", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ stopReason: "drained", counts: { archived: 1, deleted: 1 } });
    expect(exitCode).toBe(0);
    expect(stderr).toContain("The heartbeat was not taken (start): the receiver ");
    expect(stdout + stderr).not.toContain(TOKEN);
    expect(pings().length).toBeGreaterThanOrEqual(2);
  });
});
