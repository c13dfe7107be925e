import type * as v from "valibot";

export type TextSchema = v.GenericSchema<string, unknown>;

/** One row: how a variable is read, what it is without being set, and what people are told about it. */
export interface Setting<Schema extends TextSchema = TextSchema> {
  readonly schema: Schema;
  /** As it would be written in the environment, so that the default goes through the same check. */
  readonly default?: string;
  /** What the documentation shows where there is no fixed default. */
  readonly otherwise?: string;
  readonly meaning: string;
  /** Completes "Set it to …". */
  readonly example: string;
  /** The value is never shown. */
  readonly secret?: true;
}

/** A row as it is written, checked: its schema keeps the type of its own. */
export function row<const S extends Setting>(setting: S): S {
  return setting;
}
