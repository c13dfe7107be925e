import { ArchiveObjectStore } from "../../lib/identity/archive-store.ts";
import { initArchive } from "../../lib/identity/init-archive.ts";
import type { IdentitySettings } from "../../lib/identity/open-archive.ts";
import type { ArchiveMemory } from "../../lib/ports/archive-memory.ts";
import { ALWAYS } from "../world/example-archiver.ts";
import { ANOTHER_ID, HOME_ID, plantMarker, plantOldRecord } from "../world/places.ts";
import { type Runner, World } from "../world/world.ts";

export const ONE = HOME_ID;
export const OTHER = ANOTHER_ID;
/** Is known as a secret here. */
export const SECRET = "planted-by-others";

/** What a queue remembers. */
export class Memory implements ArchiveMemory {
  archiveId: string | undefined;
  constructor(archiveId?: string) {
    this.archiveId = archiveId;
  }
  async recall() {
    return this.archiveId;
  }
  async rememberFirst(archiveId: string) {
    this.archiveId ??= archiveId;
    return this.archiveId;
  }
  async remember(archiveId: string) {
    this.archiveId = archiveId;
  }
}

/** A simulated store that may be an archive, and what works with it. */
export class Place {
  readonly world = new World();
  readonly said: string[] = [];
  memory = new Memory();
  #runs = 0;

  runner(): Runner {
    this.#runs += 1;
    return this.world.startRunner(`run-${this.#runs}`);
  }

  mark(archiveId = ONE): void {
    plantMarker(this.world.store, archiveId);
  }

  plant(key: string, content: object | string): void {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    this.world.store.plantObject(key, Buffer.from(text));
  }

  /** As an archive from before markers has it. */
  plantRecord(): void {
    plantOldRecord(this.world.store, this.world.scope);
  }

  store(settings: Partial<IdentitySettings> = {}, runner = this.runner()): ArchiveObjectStore {
    const { clock, random, store } = runner;
    const say = (code: string) => this.said.push(code);
    return new ArchiveObjectStore(
      store,
      { memory: this.memory, clock, random, say, redact: (text) => text.replaceAll(SECRET, "[redacted]") },
      { scope: this.world.scope, archiveId: undefined, storeSettings: "s", purpose: "work", ...settings },
    );
  }

  open(settings: Partial<IdentitySettings> = {}) {
    return this.world.run(() => this.store(settings).archive(ALWAYS));
  }

  init(adopt = false, archiveId?: string) {
    const { clock, random, store } = this.runner();
    const ports = { store, memory: this.memory, clock, random, say: () => undefined };
    return this.world.run(() => initArchive(ports, { archiveId, storeSettings: "s" }, { ...ALWAYS, adopt }));
  }

  keys(): readonly string[] {
    return this.world.store.keysUnder("");
  }
}
