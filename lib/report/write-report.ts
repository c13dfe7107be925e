import { latestPageKey, reportKey } from "../domain/key-layout.ts";
import type { ObjectStore, StoreAbilities } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { jsonText } from "../records/create-once.ts";
import type { Night } from "./night.ts";
import { claimReportsFolder } from "./report-folder.ts";

/** The pages of one night; each links to those of other nights from where it lies. */
export interface NightPages {
  readonly day: string;
  /** For the newest night alone. */
  readonly latest?: string;
}

/** Where a report lies. */
export interface WrittenReport {
  /** The key of the night's own page. */
  readonly dayKey: string;
  /** The key of the page that people open: `latest.html` for the newest night. */
  readonly pageKey: string;
}

/**
 * Stores the report of a night: `{yyyy}/{MM}/{dd}.json` and `.html`, and `latest.html` for the newest one. What stands
 * there of the same night is replaced. The JSON comes first: later nights read it.
 *
 * @throws what the store throws.
 */
export async function writeReport(
  store: Pick<ObjectStore, "getDocument" | "putDocument">,
  abilities: Pick<StoreAbilities, "createOnce">,
  night: Night,
  { day, latest }: NightPages,
  options: CallOptions,
): Promise<WrittenReport> {
  const { projectId, instanceId, date } = night;
  const folder = await claimReportsFolder(store, abilities, { projectId, instanceId }, options);
  const put = (key: string, text: string) => store.putDocument(key, text, { kind: "always" }, options);
  await put(reportKey(folder, date, "json"), jsonText(night));
  const dayKey = reportKey(folder, date, "html");
  await put(dayKey, day);
  if (latest === undefined) {
    return { dayKey, pageKey: dayKey };
  }
  const latestKey = latestPageKey(folder);
  await put(latestKey, latest);
  return { dayKey, pageKey: latestKey };
}
