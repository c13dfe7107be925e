import * as v from "valibot";
import type { World } from "../world/world.ts";

const archivedSchema = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ object: v.object({ key: v.string(), sha256: v.string() }) }),
);

/** One export that the product created, as the platform took it. */
export interface SeenCreate {
  readonly batchTaskId: string;
  readonly atMs: number;
}

/**
 * Watches every create that reaches the platform and compares it with the world's own truth at that moment: no
 * export may be evicted or overwritten that is being made, or whose file is in no recorded object.
 */
export class CreateWatch {
  readonly creates: SeenCreate[] = [];
  readonly violations: string[] = [];
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    const create = world.platform.create.bind(world.platform);
    world.platform.create = (request, processingMs) => {
      this.#judge(JSON.stringify(request.resourceCondition));
      const created = create(request, processingMs);
      const batchTaskId = String(request.resourceCondition.task_id);
      this.creates.push({ batchTaskId, atMs: world.clock.monotonicMs() });
      return created;
    };
  }

  #judge(condition: string): void {
    const listed = this.#world.platform.list();
    const same = listed.filter(({ task }) => JSON.stringify(task.resourceCondition) === condition);
    // One more than the platform keeps: the earliest goes. Judged so even where an id would be kept.
    const evicted = listed.slice(this.#world.platform.settings.taskLimit - 1);
    const atMs = this.#world.clock.monotonicMs();
    for (const [what, files] of [
      ["overwrites", same],
      ["evicts", evicted],
    ] as const) {
      for (const { task, fileSha256 } of files) {
        // A file that went with a sibling's delete is lost already.
        const isArchived = fileSha256 === undefined || this.#isRecorded(fileSha256);
        const isSafe = task.status === "Failed" || (task.status === "Success" && isArchived);
        if (!isSafe) {
          this.violations.push(`a create ${what} ${task.exportTaskId}, ${task.status}, at ${atMs} ms`);
        }
      }
    }
  }

  #isRecorded(sha256: string): boolean {
    const { store } = this.#world;
    return store.keysUnder("records/").some((key) => {
      const record = /\/archived(-\d+)?\.json$/.test(key)
        ? v.safeParse(archivedSchema, store.textAt(key))
        : undefined;
      const object = record?.success ? record.output.object : undefined;
      return (
        object !== undefined && object.sha256 === sha256 && store.entries.get(object.key)?.sha256 === sha256
      );
    });
  }
}
