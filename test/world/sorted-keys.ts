/** Keys in the order of their code units, so that those below a prefix lie side by side. */
export class SortedKeys {
  readonly #keys: string[] = [];

  add(key: string): void {
    const at = this.#firstFrom(key);
    if (this.#keys[at] !== key) {
      this.#keys.splice(at, 0, key);
    }
  }

  remove(key: string): void {
    const at = this.#firstFrom(key);
    if (this.#keys[at] === key) {
      this.#keys.splice(at, 1);
    }
  }

  /** Those that begin with `prefix`, in order. */
  under(prefix: string): readonly string[] {
    const start = this.#firstFrom(prefix);
    let end = start;
    while (this.#keys[end]?.startsWith(prefix) === true) {
      end += 1;
    }
    return this.#keys.slice(start, end);
  }

  /** Where the first key that is not before `key` lies. */
  #firstFrom(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#keys[middle] ?? "") < key) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
