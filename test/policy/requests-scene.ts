import { expect } from "vitest";
import { type DiscoverRunReport, discoverAndRequest } from "../../lib/config/discover-and-request.ts";
import type { ArchiverSettings } from "../../lib/config/wiring.ts";
import { parseRequestKey } from "../../lib/domain/request-layout.ts";
import { makeRequest } from "../../lib/requests/request-ledger.ts";
import { archiveRun, portsOf, settingsOf } from "../world/archive-run.ts";
import type { Ending } from "../world/runner-process.ts";
import { type RunnerOptions, World, type WorldOptions } from "../world/world.ts";
import { CreateWatch } from "./create-watch.ts";

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

export interface DiscoverOptions {
  readonly settings?: Partial<ArchiverSettings>;
  readonly runner?: RunnerOptions;
}

/** One world with requests, discover runs and archive runs in it; each run has a process of its own. */
export class RequestsScene {
  readonly world: World;
  readonly watch: CreateWatch;
  /** The scene's own: what a killed process left listening would keep every world before this one in memory. */
  readonly #unaborted = { signal: new AbortController().signal };
  #runs = 0;

  constructor(options: WorldOptions = {}) {
    this.world = new World(options);
    this.watch = new CreateWatch(this.world);
  }

  /** A batch task got a status that asks for an export. */
  async request(batchTaskId: string, statusAtMs = this.nowMs()): Promise<"new" | "known"> {
    const ending = await this.world.run(() => this.startRequest(batchTaskId, statusAtMs));
    if (ending.kind === "crashed") {
      throw new Error(`the receiver of the event died at ${ending.at.site}`);
    }
    return ending.value;
  }

  /** The same inside a `world.run`, by a process that may die. */
  startRequest(batchTaskId: string, statusAtMs: number): Promise<Ending<"new" | "known">> {
    const { store, clock, process } = this.#runner();
    const wanted = { batchTaskId, statusAtMs, source: "event" as const, status: "Success" };
    return process.execute(() => makeRequest({ store, clock }, this.world.scope, wanted, this.#unaborted));
  }

  /** One discover run to its end or death. To be called inside `world.run`, or through {@link discover}. */
  startDiscover({ settings, runner: options }: DiscoverOptions = {}): Promise<Ending<DiscoverRunReport>> {
    const runner = this.#runner(options);
    return runner.process.execute(() =>
      discoverAndRequest(
        { ports: portsOf(runner), settings: settingsOf(this.world, settings) },
        this.#unaborted.signal,
      ),
    );
  }

  /** One discover run that is expected to end. */
  async discover(options: DiscoverOptions = {}): Promise<DiscoverRunReport> {
    const ending = await this.world.run(() => this.startDiscover(options));
    if (ending.kind === "crashed") {
      throw new Error(`the discover run died at ${ending.at.site}`);
    }
    return ending.value;
  }

  startArchive(settings: Partial<ArchiverSettings> = {}): Promise<Ending<unknown>> {
    const runner = this.#runner();
    return runner.process.execute(() =>
      archiveRun(this.world, runner, { limitMs: 14 * MINUTE_MS, settings }),
    );
  }

  async archive(settings: Partial<ArchiverSettings> = {}): Promise<void> {
    await this.world.run(() => this.startArchive(settings));
  }

  wait(ms: number): Promise<void> {
    return this.world.run(() => this.world.clock.sleep(ms));
  }

  /** True time, which the platform's clock shows. */
  nowMs(): number {
    return this.world.clock.wallMs();
  }

  /** Discovers and archives as timers do until no request is open; fails when that takes more than `rounds`. */
  async runUntilEnded(rounds = 12): Promise<void> {
    for (let round = 1; this.openRequests().length > 0; round += 1) {
      expect(round, `still open: ${this.openRequests().join(", ")}`).toBeLessThanOrEqual(rounds);
      await this.wait(31 * MINUTE_MS);
      await this.discover();
      await this.archive();
    }
  }

  openRequests(): readonly string[] {
    const keys = this.world.store.keysUnder("requests/");
    return keys.filter((key) => {
      const parsed = parseRequestKey(key);
      return parsed?.isOutcome === false && !keys.includes(key.replace(/\.json$/, ".outcome.json"));
    });
  }

  /** How the requests of a batch task ended, in the order of their status times. */
  outcomes(batchTaskId: string): readonly unknown[] {
    return this.world.store
      .keysUnder("requests/")
      .filter((key) => {
        const parsed = parseRequestKey(key);
        return parsed?.isOutcome && parsed.subject.batchTaskId === batchTaskId;
      })
      .map((key) => JSON.parse(this.world.store.textAt(key) ?? ""));
  }

  createsOf(batchTaskId: string): number {
    return this.watch.creates.filter((create) => create.batchTaskId === batchTaskId).length;
  }

  #runner(options: RunnerOptions = {}) {
    this.#runs += 1;
    return this.world.startRunner(`run-${this.#runs}`, options);
  }
}
