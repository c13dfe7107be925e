import { expect, test } from "vitest";
import { ArchiverError } from "../domain/errors.ts";
import { readRuntimeEnvironment, runtimeApiAddress } from "./runtime-environment.ts";

const NAMES = ["archive", "discover"] as const;
const GIVEN = {
  RUNTIME_HANDLER: "archive.handler",
  RUNTIME_TIMEOUT: "3600",
  RUNTIME_USERDATA: '{"ARCHIVER_STORE":"s3://archive/nightly","HUAWEICLOUD_SDK_SK":"PLANTEDSECRET"}',
};

test("handler, time-out and user data say what to run, how long, and by which settings", () => {
  expect(readRuntimeEnvironment(GIVEN, NAMES)).toEqual({
    functionName: "archive",
    timeoutMs: 3_600_000,
    settings: { ARCHIVER_STORE: "s3://archive/nightly", HUAWEICLOUD_SDK_SK: "PLANTEDSECRET" },
  });
});

test.each([[undefined], [""], ["{}"]])("user data %j set nothing", (userData) => {
  const read = readRuntimeEnvironment({ ...GIVEN, RUNTIME_USERDATA: userData }, NAMES);
  expect(read).toMatchObject({ settings: {} });
});

test.each<[string, Readonly<Record<string, string | undefined>>, string]>([
  ["no handler", { RUNTIME_HANDLER: undefined }, "archive.handler, discover.handler."],
  ["a handler of another program", { RUNTIME_HANDLER: "index.handler" }, "archive.handler"],
  ["a name from an object's prototype", { RUNTIME_HANDLER: "constructor.handler" }, "archive.handler"],
  ["no time-out", { RUNTIME_TIMEOUT: undefined }, "RUNTIME_TIMEOUT"],
  ["a time-out of nothing", { RUNTIME_TIMEOUT: "0" }, "RUNTIME_TIMEOUT"],
  ["a time-out with a unit", { RUNTIME_TIMEOUT: "3600s" }, "RUNTIME_TIMEOUT"],
  ["a time-out over 72 h", { RUNTIME_TIMEOUT: "259201" }, "RUNTIME_TIMEOUT"],
  ["user data that are not JSON", { RUNTIME_USERDATA: "PLANTEDSECRET" }, "RUNTIME_USERDATA"],
  ["user data with a number", { RUNTIME_USERDATA: '{"PLANTEDSECRET":1}' }, "RUNTIME_USERDATA"],
  [
    "user data with a name of its own kind",
    { RUNTIME_USERDATA: '{"PLANTED SECRET":""}' },
    "RUNTIME_USERDATA",
  ],
  ["user data without an end", { RUNTIME_USERDATA: `{"A":"${"x".repeat(66_000)}"}` }, "RUNTIME_USERDATA"],
])("%s is told with what to do, and no value of it", (_what, changed, said) => {
  const read = readRuntimeEnvironment({ ...GIVEN, ...changed }, NAMES);
  expect(read).toBeInstanceOf(ArchiverError);
  const { message, hint, code, scope } = read as ArchiverError;
  expect({ code, scope }).toEqual({ code: "runtime-misconfigured", scope: "system" });
  expect(`${message} ${hint}`).toContain(said);
  expect(`${message} ${hint}`).not.toMatch(/PLANTED|xxx/);
});

test.each([
  ["127.0.0.1:9001", "127.0.0.1:9001"],
  ["[::1]:9001", "[::1]:9001"],
  ["runtime.local:80", "runtime.local:80"],
  [undefined, undefined],
  ["127.0.0.1", undefined],
  ["user@127.0.0.1:9001", undefined],
  ["127.0.0.1:9001/path", undefined],
])("the runtime API at %j is %j", (address, expected) => {
  expect(runtimeApiAddress({ RUNTIME_API_ADDR: address })).toBe(expected);
});
