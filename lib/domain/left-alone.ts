/** What a run could not understand and left as it was. `problem` is a sentence that quotes nothing foreign. */
export type LeftAlone =
  | {
      readonly kind: "list-item";
      /** Its place in the platform's list, counted from 0. */
      readonly index: number;
      /** The field that is odd; missing when the whole item is. */
      readonly field?: string;
      readonly problem: string;
      /** Where the item has a well-formed one. */
      readonly exportTaskId?: string;
    }
  | {
      readonly kind: "record" | "hold" | "store-entry";
      /** Foreign text: whoever shows it makes it harmless first. */
      readonly key: string;
      readonly problem: string;
    }
  | {
      readonly kind: "event" | "message";
      /** Its place in the batch, counted from 0. */
      readonly index: number;
      readonly problem: string;
    };

/** What reports say of it: the first few and how many there were. */
export interface LeftAloneReport {
  readonly count: number;
  readonly items: readonly LeftAlone[];
}

const MAX_REPORTED = 20;
const MAX_KEPT = 1_000;

/** What was left alone in one run, each thing once however often the run met it. */
export class LeftAloneTally {
  readonly #items = new Map<string, LeftAlone>();
  readonly #onNew: (item: LeftAlone) => void;

  /** @param onNew hears of each thing once. */
  constructor(onNew: (item: LeftAlone) => void) {
    this.#onNew = onNew;
  }

  /** Takes what one look has left alone: one list of the platform, or the records of one task. */
  note(seen: readonly LeftAlone[]): void {
    const times = new Map<string, number>();
    for (const item of seen) {
      const name = nameOf(item);
      const time = (times.get(name) ?? 0) + 1;
      times.set(name, time);
      const key = `${name}#${time}`;
      if (!this.#items.has(key) && this.#items.size < MAX_KEPT) {
        this.#items.set(key, item);
        this.#onNew(item);
      }
    }
  }

  /** `undefined` while nothing was left alone. */
  report(): LeftAloneReport | undefined {
    return leftAloneReport([...this.#items.values()]);
  }
}

/** The first few of these and their number; `undefined` where there are none. */
export function leftAloneReport(items: readonly LeftAlone[]): LeftAloneReport | undefined {
  return items.length === 0 ? undefined : { count: items.length, items: items.slice(0, MAX_REPORTED) };
}

/** What names a thing from one look to the next. A list item moves up when others are deleted. */
function nameOf(item: LeftAlone): string {
  switch (item.kind) {
    case "list-item":
      return `list-item ${item.exportTaskId ?? ""} ${item.field ?? ""} ${item.problem}`;
    case "record":
    case "hold":
    case "store-entry":
      return `${item.kind} ${item.key}`;
    case "event":
    case "message":
      return `${item.kind} ${item.index}`;
  }
}

/** One line for a person: what it is and what is wrong with it. Foreign keys stand in it as they are. */
export function leftAloneInWords(item: LeftAlone): string {
  switch (item.kind) {
    case "list-item": {
      const id = item.exportTaskId === undefined ? "" : ` (${item.exportTaskId})`;
      const field = item.field === undefined ? "" : `, field ${item.field}`;
      return `item ${item.index} of the platform's list${id}${field}: ${item.problem}`;
    }
    case "record":
      return `the record ${item.key}: ${item.problem}`;
    case "hold":
      return `the hold ${item.key}: ${item.problem}`;
    case "store-entry":
      return `the entry ${item.key} of the store: ${item.problem}`;
    case "event":
      return `event ${item.index} of the batch: ${item.problem}`;
    case "message":
      return `message ${item.index} of the batch: ${item.problem}`;
  }
}
