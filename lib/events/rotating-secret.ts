import type { Clock } from "../ports/clock.ts";

/** An old secret is accepted no longer than this after its change. */
const GOOD_FOR_MS = 5 * 60_000;
/** Wrong secrets, however many, and a read that fails cause no read sooner than this after the one before. */
const READS_APART_MS = 30_000;

/** A shared secret that is kept elsewhere and changes there. */
export class RotatingSecret {
  readonly #read: () => Promise<string>;
  readonly #clock: Pick<Clock, "wallMs">;
  #good: { readonly text: string; readonly atMs: number } | undefined;
  /** The last read, where it failed. */
  #failed: { readonly error: unknown; readonly atMs: number } | undefined;
  #reading: Promise<string> | undefined;

  /**
   * @param read asks for the secret, whatever it costs.
   * @param clock by the wall: a host may freeze the process between two requests, and other clocks with it.
   */
  constructor(read: () => Promise<string>, clock: Pick<Clock, "wallMs">) {
    this.#read = read;
    this.#clock = clock;
  }

  /** The secret as it was at most five minutes ago. @throws what the read threw. */
  async current(): Promise<string> {
    return this.#good !== undefined && this.#isWithin(GOOD_FOR_MS, this.#good)
      ? this.#good.text
      : await this.renewed();
  }

  /**
   * For a request whose secret is another one: the secret that is in force now, unless it was read a moment ago.
   * @throws what the read threw, also when it was a moment ago: whether the request's secret is wrong is unknown.
   */
  async renewed(): Promise<string> {
    if (this.#failed !== undefined && this.#isWithin(READS_APART_MS, this.#failed)) {
      throw this.#failed.error;
    }
    return this.#good !== undefined && this.#isWithin(READS_APART_MS, this.#good)
      ? this.#good.text
      : await this.#fresh();
  }

  /** One read for all who ask at once. */
  async #fresh(): Promise<string> {
    this.#reading ??= this.#readOnce().finally(() => {
      this.#reading = undefined;
    });
    return await this.#reading;
  }

  async #readOnce(): Promise<string> {
    try {
      const text = await this.#read();
      this.#good = { text, atMs: this.#clock.wallMs() };
      this.#failed = undefined;
      return text;
    } catch (error) {
      this.#failed = { error, atMs: this.#clock.wallMs() };
      throw error;
    }
  }

  /** Whether that was less than this long ago; after a clock was set back it is unknown. */
  #isWithin(ms: number, { atMs }: { readonly atMs: number }): boolean {
    const ageMs = this.#clock.wallMs() - atMs;
    return ageMs >= 0 && ageMs < ms;
  }
}
