import * as v from "valibot";
import { onFolder } from "../kit/start.ts";
import { Agency, type TellKeys } from "./agency.ts";
import { DeployedFunction } from "./deployed-function.ts";
import { type FunctionInput, functionSchema } from "./settings.ts";
import { unpack } from "./unpack.ts";

export type { AgencyKeys } from "./agency.ts";
export type { DeployedFunction, FailureNotice, InvocationView } from "./deployed-function.ts";
export type { FunctionInput } from "./settings.ts";

/** A stand-in for FunctionGraph, in this process; functions run in processes of their own. */
export interface FunctionGraphStandIn {
  /** The agency of all its functions. */
  readonly agency: Agency;
  /** @throws for settings that FunctionGraph would not take. */
  deploy(settings: FunctionInput): DeployedFunction;
  /** Kills all processes. */
  stop(): Promise<void>;
}

export interface FunctionGraphOptions {
  /** What functions run: a ZIP, or the folder that one was unpacked to. */
  readonly code: { readonly packageFile: string } | { readonly folder: string };
  /** Lets the agency's keys in at the other stand-ins. */
  readonly tellKeys: TellKeys;
}

/** @throws Error for a package that FunctionGraph would not take. */
export async function startFunctionGraph({
  code,
  tellKeys,
}: FunctionGraphOptions): Promise<FunctionGraphStandIn> {
  return "folder" in code
    ? startOn(code.folder, tellKeys)
    : await onFolder(undefined, "functiongraph", async (folder) => {
        await unpack(code.packageFile, folder);
        return startOn(folder, tellKeys);
      });
}

function startOn(folder: string, tellKeys: TellKeys): FunctionGraphStandIn {
  const agency = new Agency(tellKeys);
  const functions: DeployedFunction[] = [];
  return {
    agency,
    deploy(settings) {
      const deployed = new DeployedFunction(v.parse(functionSchema, settings), folder, agency);
      functions.push(deployed);
      return deployed;
    },
    async stop() {
      await Promise.all(functions.map((deployed) => deployed.stop()));
    },
  };
}
