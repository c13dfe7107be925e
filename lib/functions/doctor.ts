import { wireDoctor } from "../config/doctor-wiring.ts";
import { lookAtSettings } from "../config/settings-look.ts";
import { systemClock } from "../config/system.ts";
import { GROUPS } from "../doctor/check.ts";
import { type Examination, examine } from "../doctor/examine.ts";
import type { Failure } from "../domain/errors.ts";
import type { FunctionWork } from "../hosted/function-host.ts";

/** What an examination found, and what kept it from looking. */
interface DoctorFunctionReport extends Examination {
  readonly failure?: Failure;
}

const ALL_GROUPS = new Set(GROUPS);

/**
 * Examines the deployment that it is a part of, with its settings and from its network. Somebody calls it, after a
 * deployment and whenever something is odd. It changes nothing. Returns what each check found. A call fails only where it
 * could not examine anything: what is broken is what it is there to tell.
 */
export const doctorFunction: FunctionWork<DoctorFunctionReport> = {
  async work({ environment, agencyKeys, signal, log, redactor }) {
    const options = { signal, clock: systemClock };
    const { read, configuration } = await lookAtSettings({ environment, problems: [], agencyKeys });
    const doctor = configuration && (await wireDoctor(configuration, { redactor, isHosted: true }));
    try {
      const report = await examine(read, doctor?.ports, ALL_GROUPS, options);
      log.info("examined", { report });
      return { report, failure: undefined, metrics: {} };
    } finally {
      await doctor?.close();
    }
  },
  failed: (failure) => ({ verdict: "broken", checks: [], left: GROUPS, failure }),
};
