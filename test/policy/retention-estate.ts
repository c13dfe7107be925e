import { MAX_DOCUMENT_BYTES } from "../../lib/ports/object-store.ts";
import { DAY_MS, policyOf, RetentionScene, sceneDefaults } from "./retention-scene.ts";

/** What no hold's document says; its presence holds. */
export const LARGER_THAN_ANY_DOCUMENT = Buffer.alloc(MAX_DOCUMENT_BYTES + 1, "x");

export interface Estate {
  readonly scene: RetentionScene;
  /** Keys that have to go, and keys that have to stay. */
  readonly due: readonly string[];
  readonly kept: readonly string[];
  /** An old export without a `deleted` record, whose task the platform shows. */
  readonly listed: string;
}

/** One of everything that expiry has to tell apart. */
export function estate(seed: number, createOnce = true, source = sceneDefaults.source): Estate {
  const policy = policyOf({ default: { keepDays: 10, lock: "governance" } });
  const scene = new RetentionScene({ seed, policy, store: { createOnce }, source });
  scene.keepPlatformBusy();
  const listed = scene.world.platform.addTask({});
  const relisted = scene.world.platform.addTask({});
  const oldMs = scene.startedAtMs - 20 * DAY_MS;
  const old = (exportTaskId: string) => scene.plant({ exportTaskId, archivedAtMs: oldMs });
  const due = [old("due-1"), old("due-2")];
  const held = old("held-by-id");
  const globbed = old("globbed-1");
  const locked = old("locked");
  const young = scene.plant({ exportTaskId: "young" });
  const undeleted = scene.plant({ exportTaskId: listed, archivedAtMs: oldMs, deletedAtMs: undefined });
  const nearly = scene.plant({ exportTaskId: "nearly", archivedAtMs: scene.startedAtMs - 9.5 * DAY_MS });
  const unreadable = old("unreadable-hold");
  scene.world.store.plantObject("holds/unreadable-hold.json", LARGER_THAN_ANY_DOCUMENT);
  const evicted = scene.plant({ exportTaskId: "evicted", archivedAtMs: oldMs, deletedAtMs: undefined });
  const recent = scene.plant({
    exportTaskId: "deleted-today",
    archivedAtMs: oldMs,
    deletedAtMs: scene.startedAtMs - DAY_MS / 2,
  });
  const orphan = held.replace("0a1b2c", "ffffff");
  scene.world.store.plantObject(orphan, Buffer.from("orphan"));
  scene.hold("held-by-id");
  scene.hold("globbed-*");
  scene.retention.lock(locked, undefined, { mode: "compliance", untilMs: scene.startedAtMs + 90 * DAY_MS });
  const kept = [
    held,
    globbed,
    locked,
    young,
    nearly,
    unreadable,
    undeleted,
    evicted,
    recent,
    orphan,
    old(relisted),
  ];
  return { scene, due, kept, listed };
}

/** What a timer does after the night: the failed run is followed by others. */
export async function finish(scene: RetentionScene): Promise<void> {
  scene.world.faults.clear();
  await scene.wait(60_000);
  await scene.sweep();
  await scene.expire();
}

type Line = Readonly<Record<string, unknown>>;

/** Everything was archived and deleted long ago, nothing is promised, and nothing is gone. */
function allIsDue({ retainedUntil, retainedTag, lock, expiredAt, ...line }: Line): Line {
  const longAgo = "2001-02-03T04:05:06.000Z";
  return { ...line, archivedAt: longAgo, deletedAt: longAgo };
}

/** Edits every line of the catalogue by hand. */
export function lieInCatalogue(
  { world: { store } }: RetentionScene,
  lie: (line: Line) => Line = allIsDue,
): void {
  for (const key of store.keysUnder("catalogue/")) {
    const lines = (store.textAt(key) ?? "").split("\n").filter((line) => line !== "");
    const edited = lines.map((line) => JSON.stringify(lie(JSON.parse(line))));
    store.plantObject(key, Buffer.from(edited.map((line) => `${line}\n`).join("")));
  }
}
