/** An object without its `undefined` fields: what may be `undefined` may be missing. */
export type Compact<Fields> = {
  [Key in keyof Fields as undefined extends Fields[Key] ? never : Key]: Fields[Key];
} & {
  [Key in keyof Fields as undefined extends Fields[Key] ? Key : never]?: Exclude<Fields[Key], undefined>;
};

/** Leaves `undefined` fields out: in reports and records a field is there with a value, or not at all. */
export function compact<Fields extends object>(fields: Fields): Compact<Fields> {
  const present: unknown = Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  );
  return present as Compact<Fields>;
}
