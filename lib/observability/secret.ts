import { inspect } from "node:util";

/** What stands in every text where a secret stood. */
export const REDACTED = "[redacted]";

/**
 * A key, token or password on its way from the configuration to the one place that needs it. Printed,
 * logged or turned into JSON it shows {@link REDACTED}; only {@link reveal} gives the value (promise I9).
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. Call it only where the value is used, never where it is shown. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}
