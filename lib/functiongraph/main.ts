// The entry of main.mjs in the package for FunctionGraph, which its file `bootstrap` starts. It runs until FunctionGraph
// ends the process.
import { AgencyKeys } from "../config/agency-keys.ts";
import { knownSecrets } from "../config/names.ts";
import { systemClock } from "../config/system.ts";
import { ArchiverError, type Failure } from "../domain/errors.ts";
import type { FunctionWork } from "../hosted/function-host.ts";
import { createFunctionLog } from "../observability/function-log.ts";
import { Redactor } from "../observability/redact.ts";
import { serveNext } from "./host.ts";
import { RuntimeApi } from "./runtime-api.ts";
import { readRuntimeEnvironment, runtimeApiAddress } from "./runtime-environment.ts";

/** Loaded when its process starts: each instance of a function runs only that one. */
const FUNCTIONS = {
  archive: async () => (await import("../functions/archive.ts")).archiveFunction,
  discover: async () => (await import("../functions/discover.ts")).discoverFunction,
  expire: async () => (await import("../functions/expire.ts")).expireFunction,
  exportEvents: async () => (await import("../functions/export-events.ts")).exportEventsFunction,
  inventory: async () => (await import("../functions/inventory.ts")).inventoryFunction,
  report: async () => (await import("../functions/report.ts")).reportFunction,
  retain: async () => (await import("../functions/retain.ts")).retainFunction,
} satisfies Readonly<Record<string, () => Promise<FunctionWork<unknown>>>>;
const NAMES = Object.keys(FUNCTIONS) as (keyof typeof FUNCTIONS)[];

const address = runtimeApiAddress(process.env);
if (address === undefined) {
  process.stdout.write(
    "RUNTIME_API_ADDR is not set: FunctionGraph starts this program, by its custom runtime.\n",
  );
  process.exitCode = 1;
} else {
  await serve(address);
}

async function serve(address: string): Promise<never> {
  const read = readRuntimeEnvironment(process.env, NAMES);
  const environment = read instanceof ArchiverError ? undefined : read;
  for (const [name, value] of Object.entries(environment?.settings ?? {})) {
    // From here on they are found where every other host puts them, also by the AWS SDK.
    process.env[name] ??= value;
  }
  const redactor = new Redactor(knownSecrets(process.env));
  const log = createFunctionLog({ level: "INFO", redactor, service: process.env.POWERTOOLS_SERVICE_NAME });
  const api = new RuntimeApi(address, {
    clock: systemClock,
    onTrouble: (error) => log.warn("no-invocation", { error }),
  });
  const work = read instanceof ArchiverError ? failing(read) : await FUNCTIONS[read.functionName]();
  const agencyKeys = new AgencyKeys();
  for (;;) {
    await serveNext({
      api,
      work,
      timeoutMs: environment?.timeoutMs ?? MISCONFIGURED_TIMEOUT_MS,
      agencyKeys,
      log,
      clock: systemClock,
    });
  }
}

/** Enough to say what is wrong. */
const MISCONFIGURED_TIMEOUT_MS = 60_000;

/** A function whose every invocation fails, and says why. */
function failing(error: ArchiverError): FunctionWork<{ readonly failure: Failure }> {
  return {
    work: () => Promise.reject(error),
    failed: (failure) => ({ failure }),
  };
}
