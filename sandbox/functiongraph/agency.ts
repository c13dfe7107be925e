import { randomBytes } from "node:crypto";

/** Temporary keys, as a function gets them. */
export interface AgencyKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly securityToken: string;
}

/** Tells the other stand-ins which keys they let in. */
export type TellKeys = (valid: readonly AgencyKeys[]) => Promise<void>;

/**
 * A function's agency. FunctionGraph keeps its keys for ten minutes and gives others then; those before work on until they
 * are a day old.
 */
export class Agency {
  readonly #tell: TellKeys;
  #valid: readonly AgencyKeys[] = [];

  constructor(tell: TellKeys) {
    this.#tell = tell;
  }

  /** Those that the next invocation gets. */
  async current(): Promise<AgencyKeys> {
    return this.#valid.at(-1) ?? (await this.rotate());
  }

  /** Ten minutes are over. @param expired a day is: the keys before are refused from now on. */
  async rotate({ expired = false } = {}): Promise<AgencyKeys> {
    const keys = {
      accessKeyId: `AGENCY${randomBytes(7).toString("hex").toUpperCase()}`,
      secretAccessKey: randomBytes(20).toString("hex"),
      securityToken: randomBytes(600).toString("base64"),
    };
    this.#valid = expired ? [keys] : [...this.#valid, keys];
    await this.#tell(this.#valid);
    return keys;
  }

  /** Every key that is taken. */
  get valid(): readonly AgencyKeys[] {
    return this.#valid;
  }
}
