import { expect } from "vitest";
import { recordKey } from "../../lib/domain/key-layout.ts";
import type { Fault, Site } from "../world/faults.ts";
import { storeError } from "../world/port-errors.ts";
import { SeededRandom } from "../world/seeded-random.ts";
import { InventoryScene } from "./inventory-scene.ts";
import { DAY_MS } from "./retention-scene.ts";

const REVISION = "fe8e44f7";
const ACTIONS = 30;
const SITES: readonly Site[] = [
  "store.list",
  "store.getDocument",
  "store.putDocument",
  "store.head",
  "store.preflight",
];

/** What a history leaves behind, and what must hold of it. */
export interface InventoryHistory {
  readonly scene: InventoryScene;
  /** Recorded, not expired, readable exports whose object is gone or has another size. */
  readonly harmed: ReadonlySet<string>;
}

/** Plays a random history of an archive, with inventories in between that fail, die or meet each other. */
export async function playHistory(seed: number): Promise<InventoryHistory> {
  const random = new SeededRandom(seed);
  const createOnce = random.fraction() < 0.7;
  const scene = new InventoryScene({
    seed,
    store: { createOnce, compareAndSwap: createOnce && random.fraction() < 0.8 },
  });
  const history = new History(scene, random);
  for (let count = 0; count < ACTIONS; count += 1) {
    await history.act();
  }
  scene.world.faults.clear();
  return { scene, harmed: history.harmed };
}

class History {
  readonly harmed = new Set<string>();
  readonly #scene: InventoryScene;
  readonly #random: SeededRandom;
  readonly #keys = new Map<string, string>();
  readonly #closed = new Set<string>();

  constructor(scene: InventoryScene, random: SeededRandom) {
    this.#scene = scene;
    this.#random = random;
  }

  async act(): Promise<void> {
    const actions = [
      () => this.#archive(),
      () => this.#archive(),
      () =>
        this.#record("deleted", (at) => ({ deletedAt: at, confirmedAt: at, runId: "r", outcome: "deleted" })),
      () => this.#record("retained", (at) => this.#retained(at)),
      () => this.#archiveAgain(),
      () => this.#harm(),
      () => this.#spoilRecord(),
      () => this.#hold(),
      () => this.#loseFile(),
      () => this.#scene.wait(this.#random.integer(1, DAY_MS)),
      () => this.#inventory(),
      () => this.#inventory(),
      () => this.#twoInventories(),
    ];
    await this.#pick(actions)();
  }

  #pick<T>(items: readonly [T, ...T[]] | readonly T[]): T {
    const [first] = this.#random.shuffled(items);
    if (first === undefined) {
      throw new Error("nothing to pick from");
    }
    return first;
  }

  #archive(): void {
    const exportTaskId = `task-${this.#keys.size}`;
    const archivedAtMs = this.#scene.world.clock.wallMs() - this.#random.integer(0, 70) * DAY_MS;
    const key = this.#scene.plant({ exportTaskId, archivedAtMs, deletedAtMs: undefined });
    this.#keys.set(exportTaskId, key);
  }

  #any(): string | undefined {
    const open = [...this.#keys.keys()].filter((id) => !this.#closed.has(id));
    return open.length === 0 ? undefined : this.#pick(open);
  }

  #record(name: "deleted" | "retained", facts: (at: string) => object): void {
    const id = this.#any();
    if (id !== undefined) {
      const at = new Date(this.#scene.world.clock.wallMs()).toISOString();
      const idempotencyKey = `iotda:${this.#scene.world.scope.projectId}:default:${id}:${REVISION}`;
      this.#scene.plantRecord(id, name, { schemaVersion: 1, idempotencyKey, ...facts(at) });
    }
  }

  #retained(at: string): object {
    return {
      object: { key: "exports/x" },
      rule: "default",
      keepUntil: this.#random.fraction() < 0.5 ? "forever" : at,
      lock: "none",
      tags: {},
      applied: { lock: "none", tags: "tagged" },
      retainedAt: at,
      runId: "r",
    };
  }

  /** A second copy in the place of a first one that was damaged. */
  #archiveAgain(): void {
    const id = this.#any();
    const { world } = this.#scene;
    const text =
      id === undefined ? undefined : world.store.textAt(recordKey(world.scope, id, REVISION, "archived", 1));
    const key = id === undefined ? undefined : this.#keys.get(id);
    if (id === undefined || key === undefined || text === undefined) {
      return;
    }
    const nonce = this.#random.integer(0x100000, 0xffffff).toString(16);
    const again = key.replace(/-[0-9a-f]{6}\.zip$/, `-${nonce}.zip`);
    world.store.plantObject(again, Buffer.alloc(100, id));
    const at = new Date(world.clock.wallMs()).toISOString();
    const record = text.replaceAll(key, again).replace(/"archivedAt":"[^"]*"/, `"archivedAt":"${at}"`);
    this.#scene.plantRecord(id, "archived", record, 2);
    this.#keys.set(id, again);
    this.harmed.delete(id);
    this.#closed.add(id);
  }

  #harm(): void {
    const id = this.#any();
    const key = id === undefined ? undefined : this.#keys.get(id);
    if (id !== undefined && key !== undefined) {
      this.harmed.add(id);
      this.#closed.add(id);
      if (this.#random.fraction() < 0.5) {
        this.#scene.world.store.removeObject(key);
      } else {
        this.#scene.world.store.plantObject(key, Buffer.from("short"));
      }
    }
  }

  #spoilRecord(): void {
    const id = this.#any();
    if (id !== undefined) {
      this.#closed.add(id);
      this.#scene.plantRecord(id, this.#pick(["archived", "deleted", "retained"]), "{ not json");
    }
  }

  #hold(): void {
    const id = this.#any() ?? "task-*";
    if (this.#scene.has(`holds/${id}.json`)) {
      this.#scene.world.store.removeObject(`holds/${id}.json`);
    } else {
      this.#scene.hold(id);
    }
  }

  #loseFile(): void {
    const names = [...this.#scene.files.keys()];
    if (names.length > 0) {
      const { scope, store } = this.#scene.world;
      const key = `catalogue/${scope.projectId}/default/${this.#pick(names)}`;
      const text = store.textAt(key) ?? "";
      store.removeObject(key);
      if (this.#random.fraction() < 0.5) {
        store.plantObject(key, Buffer.from(text.slice(this.#random.integer(0, text.length))));
      }
    }
  }

  async #inventory(): Promise<void> {
    const match = this.#random.fraction() < 0.5 ? this.#plantFault() : undefined;
    const limitMs = this.#random.fraction() < 0.3 ? this.#random.integer(20_000, 21_000) : undefined;
    await this.#scene.startInventory(limitMs === undefined ? {} : { limitMs });
    if (match !== undefined) {
      this.#scene.world.faults.clear();
    }
  }

  /** A fault at one of the next calls, whichever it is. */
  #plantFault(): true {
    const error = storeError("store-unavailable");
    const faults: readonly Fault[] = [
      { form: "crash", when: "before" },
      { form: "crash", when: "after" },
      { form: "not-done", error },
      { form: "done-answer-lost", error },
    ];
    const fault = this.#pick(faults);
    const at = this.#random.integer(1, 40);
    let calls = 0;
    const match = () => {
      calls += 1;
      return calls === at;
    };
    for (const site of SITES) {
      this.#scene.world.faults.plant({ site, match, ...fault });
    }
    return true;
  }

  async #twoInventories(): Promise<void> {
    await this.#scene.startTwo();
  }
}

/** Plays histories, and throws where the catalogue is not what a full reading gives, or is made again with other bytes. */
export async function expectSoundHistories(histories: number): Promise<void> {
  for (let seed = 1; seed <= histories; seed += 1) {
    const { scene, harmed } = await playHistory(seed);
    const report = await scene.inventory();
    expect(report.stopReason, `seed ${seed}`).toBe("done");
    expect(scene.linesWithoutTags, `seed ${seed}`).toEqual(await scene.fullReading());
    const damaged = report.damage.filter(({ kind }) => kind !== "unreadable-record");
    expect(new Set(damaged.map(({ exportTaskId }) => exportTaskId)), `seed ${seed}`).toEqual(harmed);
    const before = scene.files;
    scene.loseCatalogue();
    await scene.inventory();
    expect(nonEmpty(scene.files), `seed ${seed}`).toEqual(nonEmpty(before));
  }
}

function nonEmpty(files: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...files].filter(([, text]) => text !== ""));
}
