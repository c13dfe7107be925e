import { describe, expect, test } from "vitest";
import { describeObjectStore } from "../contract/object-store.contract.ts";
import { ALWAYS, collect } from "./example-archiver.ts";
import { sha256Hex } from "./export-file.ts";
import { storeError } from "./port-errors.ts";
import { type Runner, World, type WorldOptions } from "./world.ts";

describe.each(["read-back", "stored"] as const)("verification: %s", (verification) => {
  const traits = { abilities: { createOnce: true, compareAndSwap: true, verification }, exclusiveKeys: true };
  describeObjectStore(
    "the simulated world's",
    async () => {
      // Without latencies nothing waits for virtual time, so the suite can await the calls outside a run.
      const world = new World({
        store: { verification, callLatency: 0, chunkLatency: 0, chunkBytes: 65_536 },
      });
      return {
        store: world.startRunner("one").store,
        other: world.startRunner("other").store,
        nowMs: () => world.clock.wallMs(),
        close: async () => undefined,
      };
    },
    traits,
  );
});

const BODY = Buffer.from("the exported file");
const PROOF = { sizeBytes: BODY.length, sha256: sha256Hex(BODY) };
const OPENING = { ...ALWAYS, metadata: { "export-task-id": "t" }, expectedSizeBytes: undefined };

function start(options: WorldOptions = {}): { world: World; runner: Runner } {
  const world = new World(options);
  return { world, runner: world.startRunner("a") };
}

async function put(
  { store }: Runner,
  key: string,
): ReturnType<Awaited<ReturnType<typeof store.openUpload>>["complete"]> {
  const upload = await store.openUpload(key, OPENING);
  await upload.write(BODY);
  return upload.complete(PROOF);
}

describe("uploads", () => {
  test("an object shows once it is completed, with what was written", async () => {
    const { world, runner } = start();
    await world.run(async () => {
      const upload = await runner.store.openUpload("exports/a.zip", OPENING);
      const chunk = Buffer.from(BODY);
      await upload.write(chunk);
      // The port lets the caller reuse its buffer now.
      chunk.fill(0);
      expect(await runner.store.head("exports/a.zip", ALWAYS)).toBeUndefined();
      expect(world.store.keysUnder("")).toEqual([]);
      const stored = await upload.complete(PROOF);
      expect(await runner.store.head("exports/a.zip", ALWAYS)).toEqual({
        sizeBytes: BODY.length,
        etag: stored.etag,
        versionId: stored.versionId,
      });
      for await (const read of runner.store.read("exports/a.zip", ALWAYS)) {
        read.fill(0);
      }
      expect(await collect(runner.store.read("exports/a.zip", ALWAYS))).toEqual(BODY);
      const range = { startByte: 4, endByteExclusive: 12 };
      expect(String(await collect(runner.store.read("exports/a.zip", { ...ALWAYS, range })))).toBe(
        "exported",
      );
    });
    expect(world.store.openUploads).toEqual([]);
    expect(world.store.entries.get("exports/a.zip")?.metadata).toEqual(OPENING.metadata);
  });

  test("a proof of another size completes nothing, and the upload can still be aborted", async () => {
    const { world, runner } = start();
    await world.run(async () => {
      const upload = await runner.store.openUpload("exports/a.zip", OPENING);
      await upload.write(BODY);
      const wrong = { ...PROOF, sizeBytes: BODY.length + 1 };
      await expect(upload.complete(wrong)).rejects.toMatchObject({ code: "store-proof-mismatch" });
      expect(world.store.openUploads).toHaveLength(1);
      await upload.abort();
      await upload.abort();
      await expect(upload.write(BODY)).rejects.toMatchObject({ code: "store-upload-gone" });
    });
    expect(world.store.openUploads).toEqual([]);
  });

  // A store that did more here than the real ones would hide what the proof of the standing copy misses.
  test("a proof of other bytes completes all the same", async () => {
    const { world, runner } = start();
    await world.run(async () => {
      const upload = await runner.store.openUpload("exports/a.zip", OPENING);
      await upload.write(BODY);
      await upload.complete({ ...PROOF, sha256: "0".repeat(64) });
    });
    expect(world.store.entries.get("exports/a.zip")?.sha256).toBe(PROOF.sha256);
  });

  test("somebody else aborts the uploads of one folder only", async () => {
    const { world, runner } = start();
    const other = world.startRunner("b");
    await world.run(async () => {
      const lost = await runner.store.openUpload("exports/1/a.zip", OPENING);
      const kept = await runner.store.openUpload("exports/2/a.zip", OPENING);
      expect(await other.store.abortUploadsUnder("exports/1/", ALWAYS)).toBe(1);
      await lost.write(BODY).catch(() => undefined);
      await expect(lost.complete(PROOF)).rejects.toMatchObject({ code: "store-upload-gone" });
      await kept.write(BODY);
      await kept.complete(PROOF);
    });
  });

  test("a taken key is refused where the store can create once, and is a broken promise where it cannot", async () => {
    const { world, runner } = start();
    world.platform.addTask();
    await world.run(async () => {
      await put(runner, "exports/a.zip");
      await expect(put(runner, "exports/a.zip")).rejects.toMatchObject({ code: "store-key-taken" });
      world.store.settings.createOnce = false;
      await put(runner, "exports/a.zip");
    });
    expect(world.oracle.violations).toContainEqual(
      expect.stringContaining("I2: exports/a.zip was written twice"),
    );
  });

  test("an abort that stalls gives up on its own, whatever the upload's own signal says", async () => {
    const { world, runner } = start();
    const controller = new AbortController();
    world.faults.plant({ site: "store.abort", form: "stall" });
    await world.run(async () => {
      const upload = await runner.store.openUpload("exports/a.zip", {
        ...OPENING,
        signal: controller.signal,
      });
      controller.abort();
      const startedAtMs = runner.clock.monotonicMs();
      await expect(upload.abort()).rejects.toMatchObject({ code: "store-unavailable" });
      expect(runner.clock.monotonicMs() - startedAtMs).toBe(5_000);
      await upload.abort();
    });
    expect(world.store.openUploads).toEqual([]);
    expect(world.clock.countPending()).toBe(0);
  });

  test("with verification by the store, a rotten copy is found out", async () => {
    const { world, runner } = start({ store: { verification: "stored" } });
    await world.run(async () => {
      const stored = await put(runner, "exports/a.zip");
      expect(stored.checksum).toMatch(/^SHA256:/);
      await runner.store.confirmStored(stored, ALWAYS);
      world.store.plantObject("exports/a.zip", Buffer.from("rotten"));
      await expect(runner.store.confirmStored(stored, ALWAYS)).rejects.toMatchObject({
        code: "store-copy-differs",
      });
    });
  });
});

describe("documents", () => {
  test("conditions hold or conflict", async () => {
    const { world, runner } = start();
    const put = (text: string, etag?: string) =>
      runner.store.putDocument(
        "state/x.json",
        text,
        etag === undefined ? { kind: "if-absent" } : { kind: "if-match", etag },
        ALWAYS,
      );
    await world.run(async () => {
      const first = await put("1");
      expect(await put("2")).toBe("conflict");
      const etag = first === "conflict" ? "" : first.etag;
      expect(await runner.store.getDocument("state/x.json", ALWAYS)).toEqual({ text: "1", etag });
      expect(await put("3", etag)).not.toBe("conflict");
      expect(await put("4", etag)).toBe("conflict");
      expect((await runner.store.getDocument("state/x.json", ALWAYS))?.text).toBe("3");
      expect(await runner.store.getDocument("state/y.json", ALWAYS)).toBeUndefined();
    });
  });

  test("a store without conditions refuses them, so that policy cannot lean on them by mistake", async () => {
    const { world, runner } = start({ store: { createOnce: false, compareAndSwap: false } });
    await world.run(async () => {
      expect(await runner.store.preflight(ALWAYS)).toEqual({
        createOnce: false,
        compareAndSwap: false,
        verification: "read-back",
      });
      for (const condition of [{ kind: "if-absent" }, { kind: "if-match", etag: "e" }] as const) {
        const conditional = runner.store.putDocument("state/x.json", "1", condition, ALWAYS);
        await expect(conditional).rejects.toMatchObject({ code: "store-misconfigured" });
      }
      await runner.store.putDocument("state/x.json", "1", { kind: "always" }, ALWAYS);
    });
    expect(world.store.textAt("state/x.json")).toBe("1");
  });

  test("a write may be done and still say conflict", async () => {
    const { world, runner } = start();
    world.faults.plant({ site: "store.putDocument", form: "done-says-conflict" });
    const answer = await world.run(() =>
      runner.store.putDocument("state/x", "1", { kind: "if-absent" }, ALWAYS),
    );
    expect([answer, world.store.textAt("state/x")]).toEqual(["conflict", "1"]);
  });

  test("a list shows objects and documents in no order that could be relied on", async () => {
    const { world, runner } = start();
    const keys = Array.from({ length: 8 }, (_, index) => `records/${index}`);
    for (const key of keys) {
      world.store.plantObject(key, BODY);
    }
    world.store.plantObject("other/1", BODY);
    const listed: string[] = [];
    await world.run(async () => {
      for await (const { key, sizeBytes } of runner.store.list("records/", ALWAYS)) {
        expect(sizeBytes).toBe(BODY.length);
        listed.push(key);
      }
    });
    expect(listed.toSorted()).toEqual(keys);
    expect(listed).not.toEqual(keys);
  });

  test("an error is never an absent document", async () => {
    const { world, runner } = start();
    const error = storeError("store-unavailable");
    world.faults.plant({ site: "store.getDocument", form: "not-done", error });
    await expect(world.run(() => runner.store.getDocument("state/x", ALWAYS))).rejects.toBe(error);
  });

  test("the store's clock is its own, to some tens of milliseconds", async () => {
    const { world, runner } = start({ store: { clockSkewMs: 90_000 } });
    const storeMs = await world.run(() => runner.store.readClockMs(ALWAYS));
    expect(Math.abs(storeMs - world.clock.wallMs() - 90_000)).toBeLessThanOrEqual(20);
  });
});
