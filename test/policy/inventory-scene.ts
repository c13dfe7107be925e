import { type InventoryOptions, type InventoryReport, inventory } from "../../lib/catalogue/inventory.ts";
import type { InventoryEvent } from "../../lib/catalogue/ports.ts";
import { catalogueFolder } from "../../lib/domain/key-layout.ts";
import type { TemporaryFiles } from "../../lib/ports/temporary-files.ts";
import { Catalogue } from "../../lib/records/catalogue.ts";
import { type CatalogueLine, compareLines, lineOf } from "../../lib/records/catalogue-line.ts";
import { HoldsReader } from "../../lib/records/holds.ts";
import { RetentionRecords } from "../../lib/records/retention-records.ts";
import type { Ending } from "../world/runner-process.ts";
import { RetentionScene } from "./retention-scene.ts";

/** Files in memory, in the place of the system's. */
const memoryFiles: TemporaryFiles = {
  async hold(chunks, use) {
    const all: Uint8Array[] = [];
    for await (const chunk of chunks) {
      all.push(chunk);
    }
    const bytes = Buffer.concat(all);
    return await use({
      async *read(startByte, endByteExclusive) {
        yield bytes.subarray(startByte, endByteExclusive);
      },
    });
  },
};

/** An archive in the simulated world, and inventories of it, each in a process of its own. */
export class InventoryScene extends RetentionScene {
  readonly told: InventoryEvent[] = [];
  /** The lines that the last inventory showed. */
  shown: CatalogueLine[] = [];
  #pairs = 0;
  verifyWithinDays = 0;
  verifyBytesPerDay = 1_000_000;

  get inventorySettings() {
    const { verifyWithinDays, verifyBytesPerDay } = this;
    return { ...this.settings, verifyWithinDays, verifyBytesPerDay };
  }

  /** One inventory, to its end or its death. */
  async startInventory(options: Partial<InventoryOptions> = {}): Promise<Ending<InventoryReport>> {
    this.shown = [];
    return await this.start((ports) =>
      inventory(
        { ...ports, files: memoryFiles, observe: (event) => this.told.push(event) },
        this.inventorySettings,
        { ...this.unaborted, onLine: (line) => this.shown.push(line), ...options },
      ),
    );
  }

  /** Two inventories at once. */
  async startTwo(): Promise<void> {
    const runs = ["a", "b"].map((name) => this.ports(`inventory-${name}-${this.#pairs}`));
    this.#pairs += 1;
    await this.world.run(() =>
      Promise.all(
        runs.map(({ ports, process }) =>
          process.execute(() =>
            inventory({ ...ports, observe: () => undefined }, this.inventorySettings, this.unaborted),
          ),
        ),
      ),
    );
  }

  async inventory(options: Partial<InventoryOptions> = {}): Promise<InventoryReport> {
    const ending = await this.startInventory(options);
    if (ending.kind === "crashed") {
      throw new Error(`the inventory crashed at ${ending.at.site}`);
    }
    return ending.value;
  }

  /** The text of each catalogue file, by its name. */
  get files(): ReadonlyMap<string, string> {
    const folder = catalogueFolder(this.world.scope);
    const files = [...this.world.store.entries]
      .filter(([key]) => key.startsWith(folder))
      .map(([key, entry]): [string, string] => [key.slice(folder.length), entry.text]);
    return new Map(files.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Every line of the catalogue, in order. */
  get lines(): readonly Record<string, unknown>[] {
    return [...this.files.values()].flatMap((text) =>
      text
        .split("\n")
        .filter((line) => line !== "")
        .map((line): Record<string, unknown> => JSON.parse(line)),
    );
  }

  /** The same, to be compared with a full reading. */
  get linesWithoutTags(): readonly object[] {
    return this.lines.map(({ recordsTag: _tag, ...line }) => line);
  }

  loseCatalogue(): void {
    for (const name of this.files.keys()) {
      this.world.store.removeObject(`${catalogueFolder(this.world.scope)}${name}`);
    }
  }

  /** What a full reading of all records gives, without their tags. */
  async fullReading(): Promise<readonly Omit<CatalogueLine, "recordsTag">[]> {
    const { ports } = this.ports("reader");
    return await this.world.run(async () => {
      const records = new RetentionRecords(ports.store, this.world.scope, { createOnce: true });
      const holds = await new HoldsReader(ports.store).read(this.unaborted);
      const lines: CatalogueLine[] = [];
      for (const revision of await records.revisions(this.unaborted)) {
        const line = lineOf(await records.read(revision, this.unaborted), "000000000000");
        if (line !== undefined) {
          const isKept = line.deletedAt === undefined && line.expiredAt === undefined;
          lines.push(isKept && holds.isHeld(line.exportTaskId) ? { ...line, keptFor: "hold" } : line);
        }
      }
      return lines.sort(compareLines).map(({ recordsTag: _tag, ...line }) => line);
    });
  }

  async readMonth(month: string) {
    const { ports } = this.ports("reader");
    return await this.world.run(() =>
      new Catalogue(ports.store, this.world.scope).read(month, this.unaborted),
    );
  }
}
