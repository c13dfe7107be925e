import * as v from "valibot";
import { drain } from "../archive/drain.ts";
import type { ArchiveEvent } from "../archive/events.ts";
import { failedRunReport } from "../archive/run-summary.ts";
import { type DiscoverReport, discover } from "../discovery/discover.ts";
import { ArchiverError, describeFailure } from "../domain/errors.ts";
import { createJsonLog } from "../observability/json-logger.ts";
import type { Log } from "../observability/log.ts";
import type { RunReport } from "../records/run-report.ts";
import type { Configuration } from "./configuration.ts";
import { readConfiguration } from "./environment.ts";
import { knownSecrets } from "./known-secrets.ts";
import { systemClock, systemRandom } from "./system.ts";
import { wire } from "./wiring.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Timer events carry fields of their host, so unknown ones are passed over. */
const archiveEventSchema = v.nullish(v.object({ when: v.optional(v.picklist(["always", "pressure"])) }));

const EVERYTHING = new Set(["platform", "store", "queue"] as const);

/** One archive run inside a function's time limit. Whatever goes wrong is in the report. */
export async function archiveInFunction(
  environment: Environment,
  event: unknown,
  limitMs: number,
): Promise<RunReport> {
  try {
    const when = whenOf(event);
    const configuration = readConfiguration(environment, EVERYTHING);
    const log = logOf(configuration);
    const archiver = await wire(configuration, (happened) => logEvent(log, happened));
    try {
      const { signal } = new AbortController();
      return await drain(archiver.ports, archiver.settings, { signal, limitMs, when });
    } finally {
      await archiver.close();
    }
  } catch (error) {
    return failedRunReport({ clock: systemClock, random: systemRandom }, describeFailure(error));
  }
}

function whenOf(event: unknown): "always" | "pressure" {
  const parsed = v.safeParse(archiveEventSchema, event);
  if (!parsed.success) {
    throw new ArchiverError("unknown-event", "the event's `when` is neither always nor pressure", {
      scope: "system",
      retry: "never",
      hint: 'Let the timer send {"when":"pressure"}, {"when":"always"} or no input of its own.',
    });
  }
  return parsed.output?.when ?? "always";
}

/** One discover run inside a function's time limit. @throws what list, store and queue throw. */
export async function discoverInFunction(environment: Environment, limitMs: number): Promise<DiscoverReport> {
  const configuration = readConfiguration(environment, EVERYTHING);
  const archiver = await wire(configuration, () => undefined);
  // Hosts may tell fractions of a millisecond; AbortSignal.timeout takes none.
  const signal = AbortSignal.timeout(Math.max(0, Math.floor(limitMs)));
  try {
    // `discover` may well be the first to use a new store.
    await archiver.ports.store.preflight({ signal });
    return await discover(archiver.ports, archiver.settings, signal);
  } finally {
    await archiver.close();
  }
}

function logOf(configuration: Configuration): Log {
  return createJsonLog({
    sink: process.stdout,
    level: configuration.logLevel,
    secrets: knownSecrets(configuration),
    wallMs: () => systemClock.wallMs(),
  });
}

/** Functions log facts, one JSON line an event; progress of bytes is for people at a terminal. */
function logEvent(log: Log, { kind, ...fields }: ArchiveEvent): void {
  log[LEVEL_OF_EVENT[kind]](kind, fields);
}

const LEVEL_OF_EVENT = {
  bytes: "debug",
  listed: "debug",
  "slot-awaited": "debug",
  verifying: "debug",
  "task-started": "debug",
  "run-started": "info",
  "download-started": "info",
  archived: "info",
  deleted: "info",
  "task-ended": "info",
  idle: "info",
  "run-ended": "info",
  failed: "warn",
  throttled: "warn",
  "lease-lost": "warn",
  warning: "warn",
  "export-lost": "error",
  "verification-failed": "error",
} as const satisfies Record<ArchiveEvent["kind"], keyof Log>;
