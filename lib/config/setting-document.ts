import { readFile, stat } from "node:fs/promises";
import { formatBytes } from "../domain/format-bytes.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { ConfigurationError } from "./errors.ts";
import type { DocumentLocation } from "./value-schemas.ts";

/** A file larger than this was not written by people. */
const MAX_FILE_BYTES = 1024 * 1024;

/**
 * Reads the document that a setting contains or names.
 *
 * @param name of the setting, for messages.
 * @throws ConfigurationError when there is none at its place, and what the store throws.
 */
export async function readSettingDocument(
  name: string,
  place: DocumentLocation,
  store: Pick<ObjectStore, "getDocument">,
  options: CallOptions,
): Promise<string> {
  switch (place.kind) {
    case "inline":
      return place.text;
    case "file":
      return await readWholeFile(name, place.file);
    case "store":
      return await readStoredDocument(name, place.key, store, options);
  }
}

async function readWholeFile(name: string, file: string): Promise<string> {
  try {
    if ((await stat(file)).size > MAX_FILE_BYTES) {
      throw notFound(name, `names a file of more than ${formatBytes(MAX_FILE_BYTES)}`);
    }
    return await readFile(file, "utf8");
  } catch (error) {
    throw error instanceof ConfigurationError
      ? error
      : notFound(name, "names a file that cannot be read", error);
  }
}

async function readStoredDocument(
  name: string,
  key: string,
  store: Pick<ObjectStore, "getDocument">,
  options: CallOptions,
): Promise<string> {
  const found = await store.getDocument(key, options);
  if (found === undefined) {
    throw notFound(name, "names a document that is not in the store");
  }
  if (found.text === undefined) {
    throw notFound(name, "names a document that is not text");
  }
  return found.text;
}

function notFound(name: string, problem: string, cause?: unknown): ConfigurationError {
  const fix = "Put the document there, or set the variable to where it is.";
  return new ConfigurationError([{ name, problem, fix }], cause);
}
