import { HOLDS_FOLDER, holdKey, recordKey } from "../../../../lib/domain/key-layout.ts";
import { exportFile } from "../../../world/export-file.ts";
import type { PlannedFault, SiteCall } from "../../../world/faults.ts";
import { platformError } from "../../../world/port-errors.ts";
import type { Scene } from "../scene.ts";
import { HOUR_MS, MINUTE_MS, Stage } from "../stage.ts";

/** Somebody acts when the gate looks for a hold: after everything that came before, before HEAD and the list. */
function atTheGate(act: () => void): PlannedFault {
  const match = ({ subject }: SiteCall) => subject === HOLDS_FOLDER;
  return { site: "store.list", match, form: "race", act };
}

function writeOf(name: string) {
  return ({ subject }: SiteCall) => subject.startsWith("records/") && subject.endsWith(`/${name}.json`);
}

/** So slow that no list but the gate's is young enough for the delete. */
const SLOW_RECORD: PlannedFault = {
  site: "store.putDocument",
  match: writeOf("archived"),
  form: "slow",
  extraMs: 10_000,
};

/** The object of a task, changed in one byte. */
function damage(stage: Stage, id: string): void {
  for (const key of stage.objects(id)) {
    const bytes = Uint8Array.from(stage.world.store.entries.get(key)?.bytes ?? []);
    bytes[100] = (bytes[100] ?? 0) ^ 0x01;
    stage.world.store.plantObject(key, bytes);
  }
}

function oneTask(name: string, plan: (stage: Stage, id: string) => readonly PlannedFault[]): Scene {
  return {
    name,
    async play(seed) {
      const stage = new Stage({ seed });
      const id = stage.task();
      stage.world.faults.plant(...plan(stage, id));
      await stage.run();
      stage.world.faults.clear();
      await stage.wait(15 * MINUTE_MS);
      await stage.runOn(4);
      return stage;
    },
  };
}

/** Two held tasks share a file. When one of them may be deleted, the copy of the other is lost: the delete waits, for a day. */
function siblingWithoutCopy(
  what: string,
  verification: "stored" | "read-back",
  lose: (stage: Stage, key: string) => void,
): Scene {
  return {
    name: `the copy of a held sibling ${what}`,
    async play(seed) {
      const stage = new Stage({ seed, store: { verification } });
      const { store } = stage.world;
      const hold = (id: string) => store.plantObject(holdKey(id), Buffer.from("{}"));
      const resourceCondition = { task_id: "shared" };
      const released = stage.task("kept", { resourceCondition });
      hold(released);
      await stage.run();
      const held = stage.task("kept", { resourceCondition, file: exportFile(994) });
      hold(held);
      await stage.run();
      await stage.wait(2 * HOUR_MS);
      for (const key of stage.objects(held)) {
        lose(stage, key);
      }
      store.removeObject(holdKey(released));
      stage.send({ exportTaskId: released });
      await stage.run();
      await stage.wait(24 * HOUR_MS);
      await stage.runOn(2);
      return stage;
    },
  };
}

/** What may go wrong between the record and the confirmed delete. */
export const DELETION_SCENES: readonly Scene[] = [
  oneTask("the record takes ten seconds to write", () => [SLOW_RECORD]),
  oneTask("lists take eight seconds", () => [
    { site: "platform.listExportTasks", times: 20, form: "slow", extraMs: 8_000 },
  ]),
  oneTask("the object disappears before the gate", (stage, id) => [
    atTheGate(() => {
      for (const key of stage.objects(id)) {
        stage.world.store.removeObject(key);
      }
    }),
  ]),
  oneTask("the object is changed before the gate", (stage, id) => [atTheGate(() => damage(stage, id))]),
  oneTask("the record is damaged before the gate reads it", (stage, id) => {
    const act = () => {
      const key = recordKey(stage.world.scope, id, stage.revision(id), "archived", 1);
      stage.world.store.plantObject(key, Buffer.from("{"));
    };
    return [{ site: "store.getDocument", match: writeOf("archived"), form: "race", act }];
  }),
  oneTask("the file is replaced before the gate's list", (stage, id) => [
    SLOW_RECORD,
    atTheGate(() => stage.world.platform.overwriteTask(id, exportFile(990))),
  ]),
  oneTask("the task is listed again after the delete", (stage, id) => [
    {
      site: "platform.deleteExportTask",
      form: "slow",
      extraMs: 1,
    },
    {
      site: "platform.listExportTasks",
      // Preflight, look, before completing, gate: the fifth confirms.
      occurrence: 5,
      form: "race",
      act: () => stage.world.platform.addTask({ exportTaskId: id, file: exportFile(991) }),
    },
  ]),
  oneTask("the delete never arrives", () => [
    { site: "platform.deleteExportTask", form: "not-done", error: platformError("platform-unreachable") },
  ]),
  oneTask("the delete's answer is lost", () => [
    {
      site: "platform.deleteExportTask",
      form: "done-answer-lost",
      error: platformError("platform-unreachable"),
    },
  ]),
  {
    name: "a sibling's file appears before the gate's list",
    async play(seed) {
      const stage = new Stage({ seed });
      const resourceCondition = { task_id: "shared" };
      stage.task("archived", { resourceCondition });
      stage.world.faults.plant(
        SLOW_RECORD,
        atTheGate(() => stage.task("archived", { resourceCondition, file: exportFile(992) })),
      );
      await stage.run();
      await stage.wait(15 * MINUTE_MS);
      await stage.runOn(6);
      return stage;
    },
  },
  siblingWithoutCopy("disappears", "stored", (stage, key) => stage.world.store.removeObject(key)),
  siblingWithoutCopy("rots", "read-back", (stage, key) => stage.world.store.rotObject(key)),
  {
    name: "an operator holds a task",
    async play(seed) {
      const stage = new Stage({ seed });
      const id = stage.task("kept");
      stage.world.store.plantObject(`holds/${id}.json`, Buffer.from("{}"));
      await stage.runOn(3);
      return stage;
    },
  },
  {
    name: "deletion is switched off",
    async play(seed) {
      const stage = new Stage({ seed }, { deletion: "never" });
      stage.task("kept");
      await stage.runOn(3);
      return stage;
    },
  },
  {
    name: "retention removed the copy",
    async play(seed) {
      const stage = new Stage({ seed });
      const id = stage.task("kept");
      await stage.run({ settings: { deletion: "never" } });
      const expired = recordKey(stage.world.scope, id, stage.revision(id), "expired", 1);
      stage.world.store.plantObject(expired, Buffer.from("{}"));
      for (const key of stage.objects(id)) {
        stage.world.store.removeObject(key);
      }
      stage.send({ exportTaskId: id });
      await stage.runOn(3);
      if (stage.objects(id).length > 0) {
        stage.note("I2: a copy that retention removed was brought back");
      }
      return stage;
    },
  },
  {
    name: "a copy rots before deletion is switched on",
    async play(seed) {
      const stage = new Stage({ seed });
      const id = stage.task();
      await stage.run({ settings: { deletion: "never" } });
      await stage.wait(24 * HOUR_MS);
      for (const key of stage.objects(id)) {
        stage.world.store.rotObject(key);
      }
      stage.send({ exportTaskId: id });
      await stage.runOn(3);
      return stage;
    },
  },
  {
    name: "somebody renames a hold",
    async play(seed) {
      const stage = new Stage({ seed });
      const id = stage.task("kept");
      stage.world.store.plantObject("holds/renamed.json", Buffer.from(JSON.stringify({ pattern: id })));
      await stage.runOn(3);
      return stage;
    },
  },
  {
    name: "somebody holds by a file that cannot be understood",
    async play(seed) {
      const stage = new Stage({ seed });
      stage.world.store.plantObject("holds/t*.json", Buffer.from("{}"));
      stage.task("kept");
      await stage.runOn(3);
      return stage;
    },
  },
];
