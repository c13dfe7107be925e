import { type MadeNight, makeNight, type ReportSettings } from "../../lib/report/make-night.ts";
import type { Scene } from "./scene.ts";

const { signal } = new AbortController();

let reports = 0;

/** Makes a night as a report does, in a process of its own. */
export async function nightIn(
  scene: Scene,
  { date, ...changes }: Partial<ReportSettings> & { readonly date?: string } = {},
): Promise<MadeNight> {
  reports += 1;
  const { store, platform, queue, clock } = scene.world.startRunner(`report-${reports}`);
  const settings: ReportSettings = {
    scope: scene.world.scope,
    endpoint: "https://iotda.example",
    timeZone: "UTC",
    deletion: "after-verify",
    downloadIntervalMs: 31_000,
    rules: [],
    targets: [],
    ...changes,
  };
  return await scene.world.run(() =>
    makeNight({ store, platform, queue, clock }, settings, { signal, date }),
  );
}
