import { expect, test, vi } from "vitest";
import { expectArchivedOnce } from "./archive-audit.ts";
import { auditedLab, openHuaweiLab, unpackedCode } from "./functiongraph-lab.ts";
import { finishedExports } from "./lab.ts";

// The run lease of the run that ended stands for half a minute: its keys did not let it give the lease back.
test("keys that expire in the middle of a run end it, and use up no attempt; the next call archives the rest, once", async (context) => {
  const { lab, graph, deploy } = await openHuaweiLab(context, await unpackedCode(context), {
    intervalMs: 200,
    settings: { ARCHIVER_VISIBILITY_MS: "2000" },
  });
  await lab.control.addTasks(finishedExports(8));
  await deploy("discover").fireTimer();
  const archive = deploy("archive");
  const running = archive.fireTimer('{"when":"always"}');
  await vi.waitFor(async () => expect(await lab.bucket.keys("records/")).not.toEqual([]), {
    timeout: 240_000,
  });
  await graph.agency.rotate({ expired: true });
  const { outcome, body } = await running;
  expect({ outcome, error: JSON.parse(body) }).toMatchObject({
    outcome: "failed",
    error: { errorType: expect.stringMatching(/^(?:store|platform)-unauthenticated$/) },
  });
  for (const key of await lab.bucket.keys("queue/messages/")) {
    expect(JSON.stringify(await lab.bucket.json(key))).not.toMatch(/attempts\W+[1-9]/);
  }
  await vi.waitFor(
    async () => {
      expect(await archive.fireTimer('{"when":"always"}')).toMatchObject({ outcome: "succeeded" });
      expect(await lab.bucket.keys("queue/messages/")).toEqual([]);
    },
    { timeout: 120_000, interval: 1_000 },
  );
  expect(await lab.bucket.keys("queue/dead-letters/")).toEqual([]);
  await expectArchivedOnce(await auditedLab(lab), 8, { mayHaveOrphan: () => true });
});
