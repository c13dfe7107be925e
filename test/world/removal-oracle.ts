import * as v from "valibot";
import type { RetentionState } from "./retention-state.ts";
import type { World } from "./world.ts";

const DAY_MS = 86_400_000;

/** What the oracle believes of records; read apart from the code under test. */
const archivedSchema = v.object({ archivedAt: v.string(), object: v.object({ key: v.string() }) });
const deletedSchema = v.object({ confirmedAt: v.string() });
const expiredSchema = v.object({ objects: v.array(v.object({ key: v.string() })) });

/** What removal of one object has to respect, besides the records. */
export interface RemovalRules {
  /** By the key of an object: how long the policy keeps it. */
  readonly keepDaysOf: (key: string) => number;
  /** Tasks that an operator holds, by id: since when, virtual epoch milliseconds. */
  readonly heldSinceMs: (exportTaskId: string) => number | undefined;
}

/**
 * Watches every removal and remembers each that was wrong: locked, held since before the run, not expired by
 * true time, unrecorded, without `expired.json`, deleted from the platform for less than a day, or still there.
 */
export class RemovalOracle {
  readonly violations: string[] = [];
  readonly #world: World;
  readonly #retention: RetentionState;
  readonly #rules: RemovalRules;

  constructor(world: World, retention: RetentionState, rules: RemovalRules) {
    this.#world = world;
    this.#retention = retention;
    this.#rules = rules;
  }

  /** To be called right before an object goes. */
  readonly removing = (key: string, runnerStartedAtMs: number): void => {
    const { clock, platform, store } = this.#world;
    if (!store.entries.has(key)) {
      return;
    }
    const nowMs = clock.wallMs();
    const [, exportTaskId = ""] = /\/([^/]+)\/[^/]+$/.exec(key) ?? [];
    const archived = this.#records(exportTaskId, "archived", archivedSchema).filter(
      ({ object }) => object.key === key,
    );
    const deletedAtMs = this.#records(exportTaskId, "deleted", deletedSchema).map(({ confirmedAt }) =>
      Date.parse(confirmedAt),
    );
    const isNamed = this.#records(exportTaskId, "expired", expiredSchema).some(({ objects }) =>
      objects.some((object) => object.key === key),
    );
    const keptUntilMs = archived.map(
      ({ archivedAt }) => Date.parse(archivedAt) + this.#rules.keepDaysOf(key) * DAY_MS,
    );
    const heldSinceMs = this.#rules.heldSinceMs(exportTaskId);
    const broken: readonly (readonly [string, boolean])[] = [
      ["no export", !key.startsWith("exports/")],
      ["locked", this.#retention.isLocked(key)],
      ["held", heldSinceMs !== undefined && heldSinceMs < runnerStartedAtMs],
      ["unrecorded", archived.length === 0],
      ["unexpired", keptUntilMs.some((untilMs) => untilMs > nowMs)],
      ["without expired.json", !isNamed],
      ["not deleted for a day", !deletedAtMs.some((atMs) => atMs + DAY_MS <= nowMs)],
      ["still on the platform", platform.has(exportTaskId)],
    ];
    for (const [what] of broken.filter(([, isBroken]) => isBroken)) {
      this.violations.push(`I-R: ${key} was removed although it was ${what}`);
    }
  };

  #records<Schema extends v.GenericSchema>(
    exportTaskId: string,
    name: string,
    schema: Schema,
  ): v.InferOutput<Schema>[] {
    const { store } = this.#world;
    const isRecord = new RegExp(`/${exportTaskId}/[0-9a-f]{8}/${name}(-\\d+)?\\.json$`);
    return store.keysUnder("records/").flatMap((key) => {
      const parsed = isRecord.test(key)
        ? v.safeParse(v.pipe(v.string(), v.parseJson(), schema), store.textAt(key))
        : undefined;
      return parsed?.success === true ? [parsed.output] : [];
    });
  }
}
