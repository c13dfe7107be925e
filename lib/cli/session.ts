import type { InventoryPorts } from "../catalogue/ports.ts";
import type { Configuration } from "../config/configuration.ts";
import { wirePinging } from "../config/heartbeat-wiring.ts";
import { type WiredInventory, wireInventory } from "../config/inventory-wiring.ts";
import { type NewsTeller, wireNews } from "../config/news-wiring.ts";
import { wireQueue } from "../config/queue-wiring.ts";
import { retentionPorts, wireRetention } from "../config/retention-wiring.ts";
import { wireStore } from "../config/store-wiring.ts";
import { systemClock } from "../config/system.ts";
import { type Archiver, type WiringOptions, wire } from "../config/wiring.ts";
import type { PlatformScope } from "../domain/export-task.ts";
import type { ArchiveStore } from "../identity/archive-store.ts";
import { createPlainLog } from "../observability/log.ts";
import type { DeadLetterQueue } from "../ports/task-queue.ts";
import type { Pinging } from "../report/heartbeat.ts";
import type { ExpiryPorts, RetentionEvent, RetentionPorts, RetentionSettings } from "../retention/run.ts";
import { loadConfiguration, loadSettings, type SettingsFileOptions } from "./environment.ts";
import { createPlainView, type RunView } from "./event-lines.ts";
import { interruptible } from "./operator.ts";
import { isLive, operatorLines, shownSecrets } from "./output.ts";

// What the commands work with: the parts that the configuration names, put together before the work and taken down
// after it, whatever comes of it.

/** Options that every command takes. */
export type CommonOptions = SettingsFileOptions;

/** Every session has a signal that the operator's first interrupt aborts. */
interface Interruptible {
  readonly signal: AbortSignal;
}

/** What a command works with that discovers, archives, or shows both. */
export interface Session extends Interruptible {
  readonly archiver: Archiver;
  readonly pinging: Pinging;
  readonly news: NewsTeller;
  readonly view: RunView;
}

/**
 * Shows progress on stderr while `work` runs: a live view on a terminal, log lines elsewhere.
 *
 * @param purpose what the command does with the archive.
 */
export async function withSession<T>(
  options: CommonOptions,
  purpose: WiringOptions["purpose"],
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const configuration = await loadConfiguration(options, ["platform", "store", "queue"]);
  const view = await createView(configuration);
  const { guessedRegion: region } = configuration.platform;
  if (region !== undefined && configuration.logLevel === "DEBUG") {
    view.say(
      `ARCHIVER_IOTDA_REGION is not set; the program uses ${region}, which the host of ARCHIVER_IOTDA_ENDPOINT names`,
    );
  }
  try {
    const observe = view.observe.bind(view);
    const archiver = await wire(configuration, observe, { purpose, redactor: shownSecrets });
    try {
      return await interruptible(
        (line) => view.say(line),
        (signal) => {
          const say = (line: string) => view.say(line);
          const pinging = wirePinging(configuration, shownSecrets, { signal, say });
          const { ports, settings } = archiver;
          const place = { store: ports.store, scope: settings.scope };
          const news = wireNews({ configuration, ...place, redactor: shownSecrets, signal, say });
          return work({ archiver, pinging, news, view, signal });
        },
        purpose === "work" ? "Stopping: handing tasks back to the queue." : undefined,
      );
    } finally {
      await archiver.close();
    }
  } finally {
    view.close();
  }
}

async function createView({ logLevel }: Configuration): Promise<RunView> {
  const wallMs = () => systemClock.wallMs();
  if (!isLive(process.stderr)) {
    const log = createPlainLog({ sink: process.stderr, level: logLevel, redactor: shownSecrets, wallMs });
    return createPlainView(log);
  }
  const { createLiveView } = await import("./live-view.ts");
  return createLiveView(process.stderr, logLevel === "DEBUG", wallMs);
}

/** What a command works with that only reads and holds archived exports. */
interface ArchiveSession extends Interruptible {
  readonly store: ArchiveStore;
  /** Where a file store lies. */
  readonly storeFolder: string | undefined;
  readonly scope: PlatformScope;
  readonly ports: RetentionPorts;
}

/** Runs `work` on the archive; no queue and no key of the platform is asked for anything. */
export async function withArchive<T>(
  options: CommonOptions,
  work: (session: ArchiveSession) => Promise<T>,
): Promise<T> {
  return await inArchive(await loadConfiguration(options, ["platform", "store"]), work);
}

async function inArchive<T>(
  configuration: Configuration<"platform" | "store">,
  work: (session: ArchiveSession) => Promise<T>,
): Promise<T> {
  const { platform, store: place } = configuration;
  const say = await operatorLines();
  const scope = { projectId: platform.projectId, instanceId: platform.instanceId };
  const wiring = { configuration, scope, purpose: "use", redactor: shownSecrets } as const;
  const { store, close } = await wireStore(wiring);
  try {
    const ports = retentionPorts(store, showEvents(say));
    const storeFolder = place.kind === "file" ? place.folder : undefined;
    return await interruptible(say, (signal) => work({ store, storeFolder, scope, ports, signal }));
  } finally {
    close();
  }
}

/** What a command works with that takes an inventory. */
export interface InventorySession extends Interruptible, Omit<WiredInventory, "close"> {
  readonly news: NewsTeller;
}

/** Runs `work` with what an inventory needs; where a queue is named too, damaged exports can be archived again. */
export async function withInventory<T>(
  options: CommonOptions,
  observe: InventoryPorts["observe"],
  work: (session: InventorySession) => Promise<T>,
): Promise<T> {
  const settings = await loadSettings(options);
  const archive = await settings.configuration(["platform", "store"]);
  const configuration = archive.identity.isQueueNamed
    ? await settings.configuration(["platform", "store", "queue"])
    : archive;
  const { close, ...wired } = await wireInventory(configuration, shownSecrets, observe);
  try {
    const say = await operatorLines();
    return await interruptible(say, (signal) => {
      const { ports, settings: inventorySettings } = wired;
      const place = { store: ports.store, scope: inventorySettings.scope };
      const news = wireNews({ configuration, ...place, redactor: shownSecrets, signal, say });
      return work({ ...wired, news, signal });
    });
  } finally {
    await close();
  }
}

/** What a command works with that applies the retention policy. */
interface RetentionSession extends Interruptible {
  readonly ports: ExpiryPorts;
  readonly settings: RetentionSettings;
}

/** Runs `work` with policy, store and platform. */
export async function withRetention<T>(
  options: CommonOptions,
  work: (session: RetentionSession) => Promise<T>,
): Promise<T> {
  const configuration = await loadConfiguration(options, ["platform", "store", "retention"]);
  const say = await operatorLines();
  const retention = await wireRetention(configuration, shownSecrets, showEvents(say));
  try {
    return await interruptible(say, async (signal) => {
      const settings = await retention.settings({ signal });
      return await work({ ports: retention.ports, settings, signal });
    });
  } finally {
    await retention.close();
  }
}

const PROGRESS_EVERY = 1_000;
/** A terminal is slower than the look at a line of the catalogue. */
const LIVE_PROGRESS_EVERY = 10;

/** Warnings as lines; progress on a terminal's last line, else a line for each thousand. */
function showEvents(say: (line: string) => void): (event: RetentionEvent) => void {
  const isTerminal = isLive(process.stderr);
  return (event) => {
    switch (event.kind) {
      case "warning":
        say(event.message);
        return;
      case "progress":
        if (isTerminal) {
          const isLast = event.done + 1 === event.total;
          if (isLast || event.done % LIVE_PROGRESS_EVERY === 0) {
            process.stderr.write(`\r${event.done} of ${event.total}\u001b[K${isLast ? "\r\u001b[K" : ""}`);
          }
        } else if (event.done > 0 && event.done % PROGRESS_EVERY === 0) {
          say(`${event.done} of ${event.total}`);
        }
    }
  };
}

/** What a command about dead letters works with. */
interface LettersSession<Store = ArchiveStore> extends Interruptible {
  readonly queue: DeadLetterQueue;
  readonly store: Store;
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
  if (configuration.identity.isStoreNamed) {
    return await besideArchive(await settings.configuration(["platform", "store", "queue"]), work);
  }
  return await interruptible(await operatorLines(), (signal) =>
    onQueue(configuration, { store: undefined, signal }, work),
  );
}

/** The same for a command that writes to the archive. */
export async function withLettersOfArchive<T>(
  options: CommonOptions,
  work: (session: LettersSession) => Promise<T>,
): Promise<T> {
  return await besideArchive(await loadConfiguration(options, ["platform", "store", "queue"]), work);
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
  const { queue, close } = wireQueue(configuration, store, { redactor: shownSecrets });
  try {
    return await work({ queue, store, signal });
  } finally {
    await close();
  }
}
