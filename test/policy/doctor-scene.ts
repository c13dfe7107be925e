import { GROUPS, type Group } from "../../lib/doctor/check.ts";
import { type Examination, examine } from "../../lib/doctor/examine.ts";
import type { DoctorPorts, FolderFacts, SettingsRead } from "../../lib/doctor/ports.ts";
import { inventoryStateKey } from "../../lib/domain/key-layout.ts";
import { platformError } from "../world/port-errors.ts";
import { VirtualClock } from "../world/virtual-clock.ts";

const SCOPE = { projectId: "project-1", instanceId: undefined };
const ARCHIVE_ID = "6d1f0a52-9c1e-4a0b-8f53-2f6f3d1b7c10";
const GIB = 1024 ** 3;

/** All that an examination asks, by place; what is left out is healthy. */
export interface PortChanges {
  readonly isOnMachine?: boolean;
  readonly settings?: Partial<DoctorPorts["settings"]>;
  readonly platform?: Partial<DoctorPorts["platform"]>;
  readonly store?: Partial<DoctorPorts["store"]>;
  readonly queue?: Partial<DoctorPorts["queue"]>;
  readonly schedule?: Partial<DoctorPorts["schedule"]>;
  readonly notification?: DoctorPorts["notification"];
  /** Documents of the store by key. */
  readonly documents?: Readonly<Record<string, object>>;
}

const READ: SettingsRead = { unknownNames: [], withoutHeartbeat: [], others: [] };
export const FOLDER: FolderFacts = {
  freeBytes: 500 * GIB,
  freeInodes: 1_000_000,
  mode: 0o750,
  unwritable: [],
};

/** An examination on a virtual clock, of places that answer at once. */
export class DoctorScene {
  readonly clock = new VirtualClock();

  /** Epoch milliseconds. */
  isoAgo(ms: number): string {
    return new Date(this.clock.wallMs() - ms).toISOString();
  }

  async examine(changes: PortChanges = {}, groups: readonly Group[] = GROUPS): Promise<Examination> {
    const { clock } = this;
    const { signal } = new AbortController();
    const ports = this.#ports(changes);
    return await clock.run(() => examine(READ, ports, new Set(groups), { signal, clock }));
  }

  #ports(changes: PortChanges): DoctorPorts {
    const run = {
      runId: "r",
      startedAt: this.isoAgo(3_600_000),
      endedAt: this.isoAgo(3_500_000),
      stopReason: "drained",
      counts: {
        received: 0,
        archived: 0,
        deleted: 0,
        kept: 0,
        postponed: 0,
        retried: 0,
        deadLettered: 0,
        throttled: 0,
      },
      bytes: GIB,
      pacing: "shared",
      tasks: [],
      platform: { held: 0, limit: 50 },
    };
    const inventory = {
      startedAt: this.isoAgo(3_600_000),
      stopReason: "done",
      counts: { exports: 1, orphans: 0 },
      damage: [],
      verification: {
        limitDays: 90,
        copies: 1,
        coldCopies: 0,
        checked: 1,
        damaged: 0,
        oldestUnreadDays: 0.5,
        isLimitKept: true,
      },
    };
    const runKey = `runs/${this.isoAgo(3_600_000).slice(0, 10).replaceAll("-", "/")}/r.json`;
    const documents: Readonly<Record<string, object>> = {
      [runKey]: run,
      [inventoryStateKey(SCOPE)]: inventory,
      ...changes.documents,
    };
    return {
      clock: this.clock,
      scope: SCOPE,
      isOnMachine: changes.isOnMachine ?? true,
      settings: { deletion: "after-verify", secrets: [], documents: [], ...changes.settings },
      platform: {
        host: "iotda.example",
        proxyHost: undefined,
        signing: "auto",
        signingOfHost: "derived",
        guessedRegion: undefined,
        connect: async () => undefined,
        listExportTasks: async () => ({ tasks: [], oddItems: [], platformDateMs: this.clock.wallMs() }),
        deleteExportTask: async () => {
          throw platformError("platform-task-not-found");
        },
        ...changes.platform,
      },
      store: {
        place: "/archive",
        prefix: "",
        sharesPace: "always",
        open: async () => ({
          marker: { schemaVersion: 1, archiveId: ARCHIVE_ID, createdAt: "2026-01-01T00:00:00.000Z" },
        }),
        async getDocument(key) {
          const found = documents[key];
          return found && { text: JSON.stringify(found), etag: "1" };
        },
        async *list(prefix) {
          for (const key of Object.keys(documents).filter((one) => one.startsWith(prefix))) {
            yield { key, sizeBytes: 1, modifiedAtMs: 0 };
          }
        },
        async *listUploads() {
          yield* [];
        },
        folder: async () => FOLDER,
        bucket: undefined,
        ...changes.store,
      },
      queue: {
        kind: "sqlite",
        visibilityMs: 120_000,
        taskTimeoutMs: 600_000,
        look: async () => ({ isMade: true, isWritable: true, messages: 0, deadLetters: 0 }),
        ...changes.queue,
      },
      schedule: {
        files: async () => [
          { kind: "cron", path: "/etc/cron.d/iotda-archiver", text: "* * * * * archiver iotda-archiver run" },
        ],
        isProgram: async (path) => path === "/usr/bin/node",
        isFile: async () => true,
        ...changes.schedule,
      },
      notification:
        changes.notification ??
        (async () => ({
          heartbeat: { name: "hc.example", connect: async () => undefined },
          targets: [],
          topics: [],
          names: [],
        })),
    };
  }
}
