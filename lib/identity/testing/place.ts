import { ALWAYS } from "../../../test/world/example-archiver.ts";
import { type Runner, World } from "../../../test/world/world.ts";
import { ARCHIVE_MARKER_KEY, recordKey } from "../../domain/key-layout.ts";
import type { ArchiveMemory } from "../../ports/archive-memory.ts";
import { ArchiveObjectStore } from "../archive-object-store.ts";
import { initArchive } from "../init-archive.ts";
import type { IdentitySettings } from "../open-archive.ts";

export const ONE = "11111111-1111-4111-8111-111111111111";
export const OTHER = "22222222-2222-4222-8222-222222222222";
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
    this.plant(ARCHIVE_MARKER_KEY, { schemaVersion: 1, archiveId, createdAt: "2026-11-01T00:00:00.000Z" });
  }

  plant(key: string, content: object | string): void {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    this.world.store.plantObject(key, Buffer.from(text));
  }

  /** As an archive from before markers has it. */
  plantRecord(): void {
    const { projectId } = this.world.scope;
    const at = "2026-11-01T00:00:00.000Z";
    this.plant(recordKey(this.world.scope, "task-1", "fe8e44f7", "archived", 1), {
      schemaVersion: 1,
      idempotencyKey: `iotda:${projectId}:default:task-1:fe8e44f7`,
      projectId,
      instanceId: null,
      exportTaskId: "task-1",
      revision: "fe8e44f7",
      object: { key: "exports/x", sizeBytes: 1, sha256: "0".repeat(64), etag: "e" },
      source: {},
      verification: { level: "read-back", container: "members" },
      downloadedAt: at,
      archivedAt: at,
      runId: "run-0",
      attempts: 0,
    });
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
