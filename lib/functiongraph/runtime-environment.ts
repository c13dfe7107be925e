import * as v from "valibot";
import type { Environment } from "../config/section.ts";
import type { ArchiverError } from "../domain/errors.ts";
import { parseJson } from "../domain/json.ts";
import { runtimeMisconfigured } from "./errors.ts";

/** What FunctionGraph tells a custom runtime, once for each process. */
export interface RuntimeEnvironment<Name extends string> {
  /** Which function to run: the part of the *handler* before its dot, `archive` of `archive.handler`. */
  readonly functionName: Name;
  /** After which FunctionGraph kills the process. */
  readonly timeoutMs: number;
  /** The user data of the function, plain and encrypted: the settings, by their names in the README. */
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * The documented limit is 4,096 characters, keys included (FunctionGraph user guide, "Configuring Environment
 * Variables"). JSON may write one of them with six, and encrypted settings may count apart.
 */
const MAX_USER_DATA_CHARACTERS = 64 * 1024;
/** The longest time-out that a function may have: 72 h. */
const MAX_TIMEOUT_SECONDS = 259_200;

const apiAddressSchema = v.pipe(
  v.string(),
  v.regex(/^(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:]{2,45}\]):\d{1,5}$/),
);
const timeoutSchema = v.pipe(
  v.string(),
  v.regex(/^\d{1,6}$/),
  v.transform(Number),
  v.minValue(1),
  v.maxValue(MAX_TIMEOUT_SECONDS),
);
const userDataSchema = v.pipe(
  v.string(),
  v.maxLength(MAX_USER_DATA_CHARACTERS),
  v.transform(parseJson),
  v.record(v.pipe(v.string(), v.regex(/^[A-Za-z][A-Za-z0-9_]{0,127}$/)), v.string()),
);

/** `host:port` of the runtime API (`RUNTIME_API_ADDR`); `undefined` where this process was started by something else. */
export function runtimeApiAddress(environment: Environment): string | undefined {
  const parsed = v.safeParse(apiAddressSchema, environment.RUNTIME_API_ADDR);
  return parsed.success ? parsed.output : undefined;
}

/**
 * Reads what the custom runtime gets as environment variables (FunctionGraph user guide, "Custom Runtime", table 2, and
 * "Configuring Environment Variables", table 1; functiongraph_01_0406 and _0154).
 *
 * The handler names the function, and no setting does: a setting would be one more that means nothing elsewhere, and the
 * console shows the handler beside the name. One package then serves all functions.
 *
 * `RUNTIME_TIMEOUT` is in seconds, as the function's setting is.
 *
 * @param names of the functions that there are.
 * @returns an error, to be told at each invocation, where one of them cannot be read.
 */
export function readRuntimeEnvironment<Name extends string>(
  environment: Environment,
  names: readonly Name[],
): RuntimeEnvironment<Name> | ArchiverError {
  const { RUNTIME_HANDLER, RUNTIME_TIMEOUT, RUNTIME_USERDATA = "" } = environment;
  const functionName = names.find((name) => RUNTIME_HANDLER === `${name}.handler`);
  const timeout = v.safeParse(timeoutSchema, RUNTIME_TIMEOUT);
  const settings = v.safeParse(userDataSchema, RUNTIME_USERDATA === "" ? "{}" : RUNTIME_USERDATA);
  if (functionName === undefined) {
    return runtimeMisconfigured(
      "the handler of this function names none of this program's functions",
      `Set the handler to one of ${names.map((name) => `${name}.handler`).join(", ")}.`,
    );
  }
  if (!timeout.success) {
    return runtimeMisconfigured(
      "RUNTIME_TIMEOUT is not a number of seconds from 1 to 259200",
      "FunctionGraph sets it from the function's execution time-out: look whether that is set.",
    );
  }
  if (!settings.success) {
    return runtimeMisconfigured(
      "RUNTIME_USERDATA is not a JSON object of names and texts",
      "FunctionGraph sets it from the function's environment variables: give each of them a name of letters, digits and _, and a text.",
    );
  }
  return {
    functionName,
    timeoutMs: timeout.output * 1_000,
    settings: settings.output,
  };
}
