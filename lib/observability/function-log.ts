import { Logger } from "@aws-lambda-powertools/logger";
import { isWritten, type Log, type LogFields, type LogLevel } from "./log.ts";
import { DEFAULT_SERVICE } from "./metrics.ts";
import type { Redactor } from "./redact.ts";

interface FunctionLogOptions {
  readonly level: LogLevel;
  readonly redactor: Redactor;
  /** The deployment's name; `iotda-archiver` without one. */
  readonly service: string | undefined;
}

/** A {@link Log} whose every further line carries what it was told to keep. */
export interface FunctionLog extends Log {
  /** Adds a field to all lines from now on: the run id, the host's request id. */
  keep(fields: LogFields): void;
}

/**
 * The log of a deployed function: one JSON document a line on stdout or stderr, as Powertools writes it
 * (`level`, `message`, `timestamp`, `service`), redacted before Powertools sees it. A field that has a name
 * which Powertools reserves is shown with `_` before it. Lines below `level` are left out here: on Lambda Powertools
 * goes by the host's level (`AWS_LAMBDA_LOG_LEVEL`) instead of the one it is given, and the host drops what is
 * below that, so that `serverless.yml` sets it to DEBUG.
 */
export function createFunctionLog({ level, redactor, service }: FunctionLogOptions): FunctionLog {
  const logger = new Logger({ logLevel: level, serviceName: service || DEFAULT_SERVICE });
  // Below DEBUG an error shows its names, message and hint; the trace serves a search for a bug.
  const stacks = level === "DEBUG";
  const redacted = (fields: LogFields = {}) =>
    Object.fromEntries(
      Object.entries(redactor.value({ ...fields }, stacks) as Record<string, unknown>).map(
        ([name, value]) => [RESERVED.has(name) ? `_${name}` : name, value],
      ),
    );
  const writerOf = (lineLevel: LogLevel, method: "debug" | "info" | "warn" | "error") => {
    return (message: string, fields?: LogFields) => {
      if (isWritten(lineLevel, level)) {
        logger[method](redactor.text(message), redacted(fields));
      }
    };
  };
  return {
    debug: writerOf("DEBUG", "debug"),
    info: writerOf("INFO", "info"),
    warn: writerOf("WARN", "warn"),
    error: writerOf("ERROR", "error"),
    keep: (fields) => logger.appendPersistentKeys(redacted(fields)),
  };
}

const RESERVED: ReadonlySet<string> = new Set(["level", "message", "sampling_rate", "service", "timestamp"]);
