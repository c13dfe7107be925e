import { AccessKeys } from "../config/access-keys.ts";
import type { Configuration } from "../config/configuration.ts";
import { type WiredStore, wireStore } from "../config/store-wiring.ts";
import { wireQueue } from "../config/wiring.ts";
import type { ArchiveStore } from "../identity/archive-store.ts";
import type { DeadLetterQueue } from "../ports/task-queue.ts";
import { loadSettings } from "./environment.ts";
import { interruptible } from "./operator.ts";
import { operatorLines, shownSecrets } from "./output.ts";
import type { CommonOptions } from "./session.ts";

/** What a command about dead letters works with. */
export interface LettersSession<Store = ArchiveStore> {
  readonly queue: DeadLetterQueue;
  readonly store: Store;
  /** Aborted by the operator's first interrupt. */
  readonly signal: AbortSignal;
}

/**
 * Runs `work` on the dead letters of the queue. Where a store is named too, its archive is opened first: the letters of
 * another archive are not shown as its own.
 */
export async function withLetters<T>(
  options: CommonOptions,
  work: (session: LettersSession<ArchiveStore | undefined>) => Promise<T>,
): Promise<T> {
  const settings = await loadSettings(options);
  const configuration = await settings.configuration(["queue"]);
  return configuration.identity.isStoreNamed
    ? await inArchive(await settings.configuration(["platform", "store", "queue"]), work)
    : await inQueue(configuration, undefined, work);
}

/** The same for a command that writes to the archive. */
export async function withLettersOfArchive<T>(
  options: CommonOptions,
  work: (session: LettersSession) => Promise<T>,
): Promise<T> {
  const settings = await loadSettings(options);
  return await inArchive(await settings.configuration(["platform", "store", "queue"]), work);
}

async function inArchive<T>(
  configuration: Configuration,
  work: (session: LettersSession) => Promise<T>,
): Promise<T> {
  const { platform, proxy } = configuration;
  const keys = new AccessKeys(platform.credentials, shownSecrets, proxy);
  const { store, close }: WiredStore = await wireStore({
    configuration,
    scope: platform,
    keys,
    purpose: "use",
    redactor: shownSecrets,
  });
  try {
    return await inQueue(configuration, store, work);
  } finally {
    close();
    keys.close();
  }
}

async function inQueue<T, Store extends ArchiveStore | undefined>(
  configuration: Configuration<"queue">,
  store: Store,
  work: (session: LettersSession<Store>) => Promise<T>,
): Promise<T> {
  const say = await operatorLines();
  const { queue, close } = wireQueue(configuration, store, shownSecrets);
  try {
    return await interruptible(say, (signal) => work({ queue, store, signal }));
  } finally {
    close();
  }
}
