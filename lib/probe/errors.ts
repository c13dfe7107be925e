import { ArchiverError } from "../domain/errors.ts";

export type ProbeRefusal =
  /** Few export slots are free: nothing may be added, and no download slot taken from the archive runs. */
  | "probe-places-held"
  /** An export of this batch task cannot be made without risk to another one. */
  | "probe-export-refused";

/** The probe was refused before it asked anything: nothing was downloaded and nothing created. */
export class ProbeRefused extends ArchiverError {
  declare readonly code: ProbeRefusal;

  constructor(code: ProbeRefusal, message: string, hint: string) {
    super(code, message, { scope: "system", retry: "never", hint });
  }
}
