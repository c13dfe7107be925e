import type { ArchiveSettings } from "../../../../lib/archive/settings.ts";
import { recordKey } from "../../../../lib/domain/key-layout.ts";
import { exportFile } from "../../../world/export-file.ts";
import type { BodyDamage } from "../../../world/faults.ts";
import { storeError } from "../../../world/port-errors.ts";
import type { Scene } from "../scene.ts";
import { MINUTE_MS, SECOND_MS, Stage } from "../stage.ts";

function damaged(bytes: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(bytes);
  changed[100] = (changed[100] ?? 0) ^ 0x01;
  return changed;
}

/** Another task succeeds beside it, so that the failure is the task's own. */
function oneBadBody(name: string, damage: BodyDamage, settings: Partial<ArchiveSettings> = {}): Scene {
  return {
    name,
    async play(seed) {
      const stage = new Stage({ seed }, settings);
      stage.tasks(2);
      stage.world.faults.plant({ site: "platform.body", form: "body", damage });
      await stage.run();
      await stage.wait(15 * MINUTE_MS);
      await stage.runOn(6);
      return stage;
    },
  };
}

/** Two runners at work on one task, the first of them slow to verify. */
function sideBySide(capable: boolean): Scene {
  return {
    name: `two runners at one task, ${capable ? "with" : "without"} conditional writes`,
    async play(seed) {
      const store = { createOnce: capable, compareAndSwap: capable };
      const stage = new Stage({ seed, store, ...(capable ? {} : { platform: { minSpacingMs: 0 } }) });
      const id = stage.task();
      stage.world.queue.send(id);
      stage.world.queue.send(id);
      stage.world.faults.plant({ site: "store.read", form: "slow", extraMs: 40 * SECOND_MS });
      await stage.runTogether([{}, {}], 4);
      return stage;
    },
  };
}

/** What may go wrong from the download to the record. */
export const COPY_SCENES: readonly Scene[] = [
  oneBadBody(
    "a short body where any file is accepted",
    { kind: "short", keepBytes: 1_000, declared: "whole" },
    { accept: "any" },
  ),
  oneBadBody("a short body without a length", { kind: "short", keepBytes: 1_000, declared: "none" }),
  oneBadBody("a flipped byte", { kind: "flip", atByte: 500 }),
  oneBadBody("a reset in the middle of a body", { kind: "reset", afterBytes: 1_500 }),
  {
    name: "an upload that cannot be opened",
    async play(seed) {
      const stage = new Stage({ seed });
      stage.tasks(2);
      stage.world.faults.plant({
        site: "store.openUpload",
        form: "not-done",
        error: storeError("store-unavailable"),
      });
      await stage.run();
      await stage.wait(15 * MINUTE_MS);
      await stage.runOn(6);
      return stage;
    },
  },
  sideBySide(true),
  sideBySide(false),
  {
    name: "the file is replaced before the download",
    async play(seed) {
      const stage = new Stage({ seed });
      const id = stage.task();
      const act = () => stage.world.platform.overwriteTask(id, exportFile(980));
      stage.world.faults.plant({ site: "platform.showExportTask", form: "race", act });
      const before = stage.revision(id);
      await stage.run();
      if (stage.world.store.textAt(recordKey(stage.world.scope, id, before, "archived", 1)) !== undefined) {
        stage.note("I1: the new file was recorded as a copy of the revision before it");
      }
      await stage.wait(15 * MINUTE_MS);
      await stage.runOn(4);
      return stage;
    },
  },
  {
    name: "the store damages what it takes",
    async play(seed) {
      const stage = new Stage({ seed });
      const id = stage.task();
      const { store } = stage.world;
      const act = () => {
        for (const key of stage.objects(id)) {
          store.plantObject(key, damaged(store.entries.get(key)?.bytes ?? new Uint8Array()));
        }
      };
      stage.world.faults.plant({ site: "store.read", form: "race", act });
      const first = recordKey(stage.world.scope, id, stage.revision(id), "archived", 1);
      await stage.run();
      if (store.textAt(first) !== undefined) {
        stage.note("I1: a copy was recorded that was damaged before it was verified");
      }
      await stage.wait(15 * MINUTE_MS);
      await stage.runOn(4);
      return stage;
    },
  },
  {
    name: "the process dies with the object complete, and the object rots",
    async play(seed) {
      const stage = new Stage({ seed });
      const id = stage.task();
      const { store } = stage.world;
      stage.world.faults.plant({ site: "store.complete", form: "crash", when: "after" });
      await stage.run();
      for (const key of stage.objects(id)) {
        store.plantObject(key, damaged(store.entries.get(key)?.bytes ?? new Uint8Array()));
      }
      await stage.wait(3 * MINUTE_MS);
      await stage.runOn(4);
      return stage;
    },
  },
  {
    name: "the process dies in the middle of a body",
    async play(seed) {
      const stage = new Stage({ seed });
      stage.task();
      const damage = { kind: "crash", afterBytes: 1_500 } as const;
      stage.world.faults.plant({ site: "platform.body", form: "body", damage });
      await stage.run();
      await stage.wait(3 * MINUTE_MS);
      await stage.runOn(4);
      return stage;
    },
  },
  {
    name: "a kept task loses its object, and is sent again twice",
    async play(seed) {
      const stage = new Stage({ seed }, { deletion: "never" });
      const id = stage.task("kept");
      await stage.run();
      for (const key of stage.objects(id)) {
        stage.world.store.removeObject(key);
      }
      for (let again = 1; again <= 2; again += 1) {
        stage.send({ exportTaskId: id });
        await stage.runOn(3);
      }
      return stage;
    },
  },
  {
    name: "a record lies in the wrong folder",
    async play(seed) {
      const stage = new Stage({ seed });
      const { scope, store } = stage.world;
      const archived = stage.task("kept");
      await stage.run({ settings: { deletion: "never" } });
      const record = recordKey(scope, archived, stage.revision(archived), "archived", 1);
      const other = stage.task();
      const wrong = recordKey(scope, other, stage.revision(other), "archived", 1);
      store.plantObject(wrong, Buffer.from(store.textAt(record) ?? ""));
      await stage.runOn(4);
      return stage;
    },
  },
];
