import * as v from "valibot";
import { HOLDS_FOLDER, holdKey, parseRecordKey, taskRecordsFolder } from "../../lib/domain/key-layout.ts";
import { documentReader, readArchived } from "../world/judged-documents.ts";
import type { World } from "../world/world.ts";

const readLetter = documentReader(
  v.object({ exportTaskId: v.optional(v.string()), reason: v.string(), deadLetteredAt: v.string() }),
);

export interface LetterView {
  readonly exportTaskId: string | undefined;
  readonly revision: string | undefined;
  readonly reason: string;
}

/** What is recorded of a task, by revision. */
export interface RecordsView {
  /** Objects named by `archived` records, with whether they are intact. */
  readonly archived: readonly { revision: string; sha256: string; key: string; isIntact: boolean }[];
  readonly deletedRevisions: readonly string[];
  readonly letters: readonly LetterView[];
}

/** The store as an auditor reads it, apart from the code under test. */
export class ArchiveView {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  recordsOf(id: string): RecordsView {
    const { scope, store } = this.#world;
    const folder = taskRecordsFolder(scope, id);
    const archived: { revision: string; sha256: string; key: string; isIntact: boolean }[] = [];
    const deletedRevisions: string[] = [];
    const letters: LetterView[] = [];
    for (const key of store.keysUnder(folder)) {
      const { name, revision = "" } = parseRecordKey(key, folder) ?? {};
      if (name === "archived") {
        const object = readArchived(store.entries.get(key));
        if (object !== undefined) {
          const isIntact = store.entries.get(object.key)?.sha256 === object.sha256;
          archived.push({ revision, ...object, isIntact });
        }
      } else if (name === "deleted") {
        deletedRevisions.push(revision);
      } else if (name === "dead-letter") {
        letters.push({
          exportTaskId: id,
          revision,
          reason: readLetter(store.entries.get(key))?.reason ?? "",
        });
      }
    }
    return { archived, deletedRevisions, letters: [...letters, ...this.looseLetters(id)] };
  }

  /** Dead letters kept by their body's digest, about this task or, for `undefined`, about none. */
  looseLetters(id: string | undefined): readonly LetterView[] {
    const { store } = this.#world;
    return store.keysUnder("dead-letters/").flatMap((key) => {
      const letter = readLetter(store.entries.get(key));
      return letter === undefined || letter.exportTaskId !== id
        ? []
        : [{ exportTaskId: id, revision: undefined, reason: letter.reason }];
    });
  }

  /** The task as the platform lists it now. */
  listed(id: string): { status: string; revision: string } | undefined {
    const found = this.#world.platform.list().find(({ task }) => task.exportTaskId === id);
    return found && { status: found.task.status, revision: found.revision };
  }

  isHeld(id: string): boolean {
    const { store } = this.#world;
    return (
      store.entries.has(holdKey(id)) || store.keysUnder(HOLDS_FOLDER).some((key) => key.endsWith(".yaml"))
    );
  }

  /** The files of which some record names an intact copy. */
  keptSha256s(): ReadonlySet<string> {
    const { store } = this.#world;
    const kept = store.keysUnder("records/").flatMap((key) => {
      const object = /\/archived(-\d+)?\.json$/.test(key) ? readArchived(store.entries.get(key)) : undefined;
      const isIntact = object !== undefined && store.entries.get(object.key)?.sha256 === object.sha256;
      return isIntact ? [object.sha256] : [];
    });
    return new Set(kept);
  }

  /** Whether a record of this task names an intact object with these bytes. */
  isKept(id: string, sha256: string): boolean {
    return this.recordsOf(id).archived.some((object) => object.sha256 === sha256 && object.isIntact);
  }
}
