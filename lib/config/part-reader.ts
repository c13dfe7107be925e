import type { ConfigurationProblem } from "./errors.ts";
import { fixFor, missing, type SettingsRead } from "./read-settings.ts";
import type { SettingName, SettingValues } from "./settings.ts";

/** What the readers of the single parts share: the values read, and a place to note problems. */
export class PartReader {
  readonly values: Partial<SettingValues>;
  readonly isSet: ReadonlySet<SettingName>;
  readonly problems: ConfigurationProblem[];

  constructor(read: SettingsRead) {
    this.values = read.values;
    this.isSet = read.isSet;
    this.problems = [...read.problems];
  }

  /** The value; notes the setting as missing when nobody set it. A malformed one is noted already. */
  required<Name extends SettingName>(name: Name): Partial<SettingValues>[Name] {
    if (this.values[name] === undefined && !this.isSet.has(name)) {
      this.problems.push(missing(name));
    }
    return this.values[name];
  }

  /** Notes a problem; without `fix`, the setting's own. */
  note(name: SettingName, problem: string, fix: string = fixFor(name)): void {
    this.problems.push({ name, problem, fix });
  }
}
