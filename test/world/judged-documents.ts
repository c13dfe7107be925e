import * as v from "valibot";
import type { StoredEntry } from "./store-state.ts";

/** The part of an `archived` record that judges believe: its object. Read apart from the code under test. */
const archivedSchema = v.pipe(
  v.object({ object: v.object({ key: v.string(), sha256: v.string() }) }),
  v.transform(({ object }) => object),
);

/** Reads documents of one kind, each of them once: judges ask again and again, and an entry never changes. */
export function documentReader<T>(
  schema: v.GenericSchema<unknown, T>,
): (entry: StoredEntry | undefined) => T | undefined {
  const known = new WeakMap<StoredEntry, { readonly document: T | undefined }>();
  return (entry) => {
    if (entry === undefined) {
      return undefined;
    }
    const read = known.get(entry) ?? { document: parse(schema, entry.text) };
    known.set(entry, read);
    return read.document;
  };
}

/** The object that an `archived` record names. */
export const readArchived = documentReader(archivedSchema);

/** The same of a record that is about to be written. */
export function parseArchived(text: string): v.InferOutput<typeof archivedSchema> | undefined {
  return parse(archivedSchema, text);
}

function parse<T>(schema: v.GenericSchema<unknown, T>, text: string): T | undefined {
  try {
    const result = v.safeParse(schema, JSON.parse(text));
    return result.success ? result.output : undefined;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) {
      return undefined;
    }
    throw thrown;
  }
}
