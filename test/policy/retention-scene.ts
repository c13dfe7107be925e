import { inventory } from "../../lib/catalogue/inventory.ts";
import { globHoldKey, holdKey, recordKey } from "../../lib/domain/key-layout.ts";
import { ArchiveStore } from "../../lib/identity/archive-store.ts";
import { matchesGlob } from "../../lib/records/glob.ts";
import { type ExpireReport, expire } from "../../lib/retention/expire.ts";
import { type PlanEntry, planRetention, type RetentionPlan } from "../../lib/retention/plan.ts";
import { parseRetentionPolicy, type RetentionPolicy } from "../../lib/retention/policy.ts";
import { type RetainReport, retainObject, retainSweep } from "../../lib/retention/retain.ts";
import type { ExpiryPorts, RetentionEvent, RetentionSettings } from "../../lib/retention/run.ts";
import { sha256Hex } from "../world/export-file.ts";
import { RemovalOracle } from "../world/removal-oracle.ts";
import { RetentionState } from "../world/retention-state.ts";
import type { Ending } from "../world/runner-process.ts";
import { SeededRandom } from "../world/seeded-random.ts";
import { InvariantViolation, type RunnerOptions, World, type WorldOptions } from "../world/world.ts";
import { WorldRetentionStore } from "../world/world-retention.ts";

export const DAY_MS = 86_400_000;
/** What every scene starts with, unless it says otherwise. */
export const TEN_DAYS = policyOf({ default: { keepDays: 10, lock: "none" } });

const REVISION = "fe8e44f7";

export function policyOf(policy: object): RetentionPolicy {
  return parseRetentionPolicy(JSON.stringify({ schemaVersion: 1, ...policy }));
}

/** An archived export as archive runs leave it. */
export interface PlantedExport {
  readonly exportTaskId: string;
  readonly revision?: string;
  readonly archivedAtMs?: number;
  /** `undefined`: no `deleted` record. */
  readonly deletedAtMs?: number | undefined;
  readonly sizeBytes?: number;
  readonly source?: Readonly<Record<string, unknown>>;
}

export interface RetentionSceneOptions extends WorldOptions {
  readonly policy?: RetentionPolicy;
  readonly canLock?: boolean;
  readonly canTag?: boolean;
  readonly source?: "catalogue" | "records";
}

/** What scenes have that say nothing else; a suite that runs in both ways changes it. */
export const sceneDefaults: { source: "catalogue" | "records" } = { source: "catalogue" };

/** A world with archived exports, and runs of retention in it, each in a process of its own. */
export class RetentionScene {
  readonly world: World;
  readonly retention: RetentionState;
  readonly oracle: RemovalOracle;
  readonly events: RetentionEvent[] = [];
  policy: RetentionPolicy;
  maxRemovals = 100;
  /** Of each expire run; without one it goes on until it is done. */
  limitMs: number | undefined;
  /** `catalogue`: an inventory is made before each run of retention; `records`: there never was one. */
  readonly source: "catalogue" | "records";
  readonly startedAtMs: number;
  /** The scene's own: what a killed process left listening would keep every world before this one in memory. */
  readonly unaborted = { signal: new AbortController().signal };
  #runs = 0;
  #isStockTaken = false;

  constructor(sceneOptions: RetentionSceneOptions = {}) {
    const { policy = TEN_DAYS, canLock = true, canTag = true, ...others } = sceneOptions;
    const { source = sceneDefaults.source, ...options } = others;
    this.world = new World(options);
    this.source = source;
    this.policy = policy;
    this.startedAtMs = this.world.clock.wallMs();
    this.retention = new RetentionState(this.world.store, this.world.clock, { canLock, canTag });
    this.oracle = new RemovalOracle(this.world, this.retention, {
      keepDaysOf: () => (this.policy.default.keepDays === "forever" ? 1e6 : this.policy.default.keepDays),
      heldSinceMs: (exportTaskId) => this.#heldSinceMs(exportTaskId),
    });
  }

  /** An export on the platform that no test is about: without one, no list proves anything. */
  keepPlatformBusy(): void {
    this.world.platform.addTask({});
  }

  /** Puts object and records there. @returns the object's key. */
  plant(planted: PlantedExport): string {
    const { exportTaskId, revision = REVISION, sizeBytes = 100, source = {} } = planted;
    const archivedAtMs = planted.archivedAtMs ?? this.startedAtMs;
    const deletedAtMs = "deletedAtMs" in planted ? planted.deletedAtMs : archivedAtMs;
    const { scope, store } = this.world;
    const key = `exports/${scope.projectId}/default/2026/11/22/${exportTaskId}/${revision}-0a1b2c.zip`;
    const bytes = Buffer.alloc(sizeBytes, exportTaskId);
    store.plantObject(key, bytes);
    const { versionId, etag } = store.entries.get(key) ?? { versionId: undefined, etag: "" };
    const idempotencyKey = `iotda:${scope.projectId}:default:${exportTaskId}:${revision}`;
    const archivedAt = new Date(archivedAtMs).toISOString();
    this.plantRecord(exportTaskId, "archived", {
      schemaVersion: 1,
      idempotencyKey,
      projectId: scope.projectId,
      instanceId: null,
      exportTaskId,
      revision,
      object: { key, versionId, sizeBytes, sha256: sha256Hex(bytes), etag },
      source,
      verification: { level: "read-back", container: "members" },
      downloadedAt: archivedAt,
      archivedAt,
      runId: "run-0",
      attempts: 0,
    });
    if (deletedAtMs !== undefined) {
      const at = new Date(deletedAtMs).toISOString();
      const facts = { deletedAt: at, confirmedAt: at, runId: "run-0", outcome: "deleted" };
      this.plantRecord(exportTaskId, "deleted", { schemaVersion: 1, idempotencyKey, ...facts });
    }
    return key;
  }

  plantRecord(
    exportTaskId: string,
    name: "archived" | "deleted" | "retained" | "expired",
    content: object | string,
    number = 1,
  ): void {
    const key = recordKey(this.world.scope, exportTaskId, REVISION, name, number);
    const text = typeof content === "string" ? content : JSON.stringify(content);
    this.world.store.plantObject(key, Buffer.from(text));
  }

  hold(pattern: string): void {
    const key = /[*?]/.test(pattern) ? globHoldKey(pattern) : holdKey(pattern);
    this.world.store.plantObject(key, Buffer.from("{}"));
  }

  /** A record of a task as JSON; `undefined` when there is none. */
  record(exportTaskId: string, name: "retained" | "expired" | "deleted", number = 1) {
    const text = this.world.store.textAt(recordKey(this.world.scope, exportTaskId, REVISION, name, number));
    return text === undefined ? undefined : (JSON.parse(text) as Record<string, unknown>);
  }

  has(key: string): boolean {
    return this.world.store.entries.has(key);
  }

  async wait(ms: number): Promise<void> {
    await this.world.run(() => this.world.clock.sleep(ms));
  }

  /** Ports of a new process. */
  ports(name: string, runnerOptions: RunnerOptions = {}) {
    const runner = this.world.startRunner(name, runnerOptions);
    const random = new SeededRandom(this.world.seed + this.#runs);
    const { clock, oracle: observer } = this.world;
    const state = () => this.world.store;
    const parts = { state, runner: runner.process, random, clock, observer };
    const ports: ExpiryPorts & { store: WorldRetentionStore } = {
      platform: runner.platform,
      clock: runner.clock,
      random: runner.random,
      observe: (event) => this.events.push(event),
      store: new WorldRetentionStore(parts, this.retention, this.oracle.removing),
    };
    return { ports, process: runner.process };
  }

  get settings(): RetentionSettings {
    return {
      scope: this.world.scope,
      policy: this.policy,
      maxRemovals: this.maxRemovals,
      downloadIntervalMs: 31_000,
    };
  }

  /** One run in a process of its own, to its end or its death. */
  async start<T>(
    work: (ports: ExpiryPorts & { store: WorldRetentionStore }) => Promise<T>,
    runnerOptions: RunnerOptions = {},
  ): Promise<Ending<T>> {
    this.#runs += 1;
    const { ports, process } = this.ports(`retention-${this.#runs}`, runnerOptions);
    const ending = await this.world.run(() => process.execute(() => work(ports)));
    if (this.oracle.violations.length > 0) {
      throw new InvariantViolation(this.oracle.violations.join("\n"));
    }
    return ending;
  }

  /**
   * The day's inventory, without the reading of copies, where the scene has them. Each run of retention comes after one; a
   * test that plants faults for the run takes it first.
   */
  async takeStock(): Promise<void> {
    this.#isStockTaken = true;
    if (this.source === "catalogue") {
      const settings = { scope: this.world.scope, verifyWithinDays: 0, verifyBytesPerDay: 0 };
      await this.#finish(
        this.start((ports) => inventory({ ...ports, observe: () => undefined }, settings, this.unaborted)),
      );
    }
  }

  async #beforeRun(): Promise<void> {
    if (!this.#isStockTaken) {
      await this.takeStock();
    }
    this.#isStockTaken = false;
  }

  async #finish<T>(ending: Promise<Ending<T>>): Promise<T> {
    const end = await ending;
    if (end.kind === "crashed") {
      throw new Error(`the run crashed at ${end.at.site} ${end.at.subject}`);
    }
    return end.value;
  }

  async expire(runnerOptions: RunnerOptions = {}): Promise<ExpireReport> {
    await this.#beforeRun();
    const options = { ...this.unaborted, limitMs: this.limitMs };
    return await this.#finish(this.start((ports) => expire(ports, this.settings, options), runnerOptions));
  }

  /** {@link expire} as programs do it: the store is opened as this archive first. */
  async expireInArchive(archiveId: string): Promise<ExpireReport> {
    const { scope } = this.world;
    return await this.expireInStore((store, ports) => {
      const parts = { memory: undefined, say: () => undefined, redact: (text: string) => text, ...ports };
      const identity = { scope, archiveId, storeSettings: "the world's", purpose: "use" } as const;
      return new ArchiveStore(store, parts, identity);
    });
  }

  /** {@link expire} in a store that is made of the runner's own. */
  async expireInStore(
    made: (store: WorldRetentionStore, ports: ExpiryPorts) => ExpiryPorts["store"],
  ): Promise<ExpireReport> {
    await this.#beforeRun();
    return await this.#finish(
      this.start((ports) =>
        expire({ ...ports, store: made(ports.store, ports) }, this.settings, this.unaborted),
      ),
    );
  }

  /** The plan, with its entries in the order in which they were told. */
  async plan(): Promise<RetentionPlan & { readonly entries: readonly PlanEntry[] }> {
    const entries: PlanEntry[] = [];
    const options = { ...this.unaborted, onEntry: (entry: PlanEntry) => entries.push(entry) };
    const plan = await this.#finish(this.start((ports) => planRetention(ports, this.settings, options)));
    return { ...plan, entries };
  }

  async sweep(): Promise<RetainReport> {
    await this.#beforeRun();
    return await this.#finish(this.start((ports) => retainSweep(ports, this.settings, this.unaborted)));
  }

  async retain(key: string): Promise<RetainReport> {
    return await this.#finish(this.start((ports) => retainObject(ports, this.settings, key, this.unaborted)));
  }

  #heldSinceMs(exportTaskId: string): number | undefined {
    const { entries } = this.world.store;
    const since = [...entries]
      .filter(([key]) => key === holdKey(exportTaskId) || isGlobHoldOn(key, exportTaskId))
      .map(([, entry]) => entry.modifiedAtMs - this.world.store.settings.clockSkewMs);
    return since.length === 0 ? undefined : Math.min(...since);
  }
}

function isGlobHoldOn(key: string, exportTaskId: string): boolean {
  const [, hex] = /^holds\/globs\/([0-9a-f]+)\.json$/.exec(key) ?? [];
  return hex !== undefined && matchesGlob(Buffer.from(hex, "hex").toString(), exportTaskId);
}
