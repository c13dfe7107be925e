import type { Configuration } from "../config/configuration.ts";
import { wireQueue } from "../config/wiring.ts";
import type { ArchiveStore } from "../identity/archive-store.ts";
import type { DeadLetterQueue } from "../ports/task-queue.ts";
import { loadSettings } from "./environment.ts";
import { interruptible } from "./operator.ts";
import { operatorLines, shownSecrets } from "./output.ts";
import { inArchive } from "./retention-session.ts";
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
    ? await besideArchive(await settings.configuration(["platform", "store", "queue"]), work)
    : await interruptible(await operatorLines(), (signal) =>
        onQueue(configuration, { store: undefined, signal }, work),
      );
}

/** The same for a command that writes to the archive. */
export async function withLettersOfArchive<T>(
  options: CommonOptions,
  work: (session: LettersSession) => Promise<T>,
): Promise<T> {
  const settings = await loadSettings(options);
  return await besideArchive(await settings.configuration(["platform", "store", "queue"]), work);
}

async function besideArchive<T>(
  configuration: Configuration,
  work: (session: LettersSession) => Promise<T>,
): Promise<T> {
  return await inArchive(configuration, ({ store, signal }) =>
    onQueue(configuration, { store, signal }, work),
  );
}

async function onQueue<T, Store extends ArchiveStore | undefined>(
  configuration: Configuration<"queue">,
  { store, signal }: Pick<LettersSession<Store>, "store" | "signal">,
  work: (session: LettersSession<Store>) => Promise<T>,
): Promise<T> {
  const { queue, close } = wireQueue(configuration, store, shownSecrets);
  try {
    return await work({ queue, store, signal });
  } finally {
    close();
  }
}
