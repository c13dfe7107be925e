import type { TestContext } from "vitest";
import type { DoctorLab } from "./doctor-lab.ts";
import type { SettingChanges } from "./lab.ts";

/** One fault of a deployment, and what names it. */
export interface Fault {
  readonly fault: string;
  /** The one check that finds something. */
  readonly check: string;
  readonly status: "hurts" | "broken";
  /** Stands in its remedy. */
  readonly remedy: string | RegExp;
  /** Puts the fault into a healthy deployment. */
  readonly put: (lab: DoctorLab, context: Pick<TestContext, "onTestFinished">) => Promise<unknown> | unknown;
}

/** A fault in the settings. */
export function setting(
  fault: string,
  changes: SettingChanges,
  [check, status, remedy]: readonly [string, Fault["status"], Fault["remedy"]],
): Fault {
  return { fault, check, status, remedy, put: (lab) => lab.writeSettings(changes) };
}

/** No server listens at port 1. */
export const NO_SERVER = "http://127.0.0.1:1";
