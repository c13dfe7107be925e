/** Something that happens at a moment of virtual time, unless it is cancelled before. */
export interface WakeUp {
  readonly atMs: number;
  /** Ties are broken by the order in which wake-ups were scheduled. */
  readonly sequence: number;
  readonly action: () => void;
  cancelled: boolean;
}

function isEarlier(a: WakeUp, b: WakeUp): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);
}

/** A binary heap of wake-ups, earliest first. Cancelled ones stay until they surface and are skipped then. */
export class WakeUpQueue {
  readonly #heap: WakeUp[] = [];

  /** How many wake-ups still wait, the cancelled ones left out. Takes linear time. */
  countPending(): number {
    return this.#heap.filter((wakeUp) => !wakeUp.cancelled).length;
  }

  push(wakeUp: WakeUp): void {
    const heap = this.#heap;
    let index = heap.push(wakeUp) - 1;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || !isEarlier(wakeUp, parent)) {
        break;
      }
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = wakeUp;
  }

  /** Takes the earliest wake-up that was not cancelled. */
  pop(): WakeUp | undefined {
    let earliest = this.#popAny();
    while (earliest?.cancelled === true) {
      earliest = this.#popAny();
    }
    return earliest;
  }

  #popAny(): WakeUp | undefined {
    const heap = this.#heap;
    const earliest = heap[0];
    const moved = heap.pop();
    if (earliest === undefined || moved === undefined || moved === earliest) {
      return earliest;
    }
    let index = 0;
    for (;;) {
      const leftIndex = 2 * index + 1;
      const left = heap[leftIndex];
      const right = heap[leftIndex + 1];
      if (left === undefined) {
        break;
      }
      const rightWins = right !== undefined && isEarlier(right, left);
      const child = rightWins ? right : left;
      if (!isEarlier(child, moved)) {
        break;
      }
      heap[index] = child;
      index = rightWins ? leftIndex + 1 : leftIndex;
    }
    heap[index] = moved;
    return earliest;
  }
}
