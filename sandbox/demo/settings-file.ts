import { writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { INTERVAL_MS } from "./night.ts";

/** The keys the sandbox lets in; they open nothing else. */
export const DEMO_ACCOUNT = { ak: "DEMOAK00000000000000", sk: "demoSecretKey0123456789abcdefghijklmnopqr" };
export const DEMO_PROJECT_ID = "0123456789abcdef0123456789abcdef";

/** Writes the settings that an operator would write, for a folder and a SQLite queue on this machine. */
export async function writeSettingsFile(
  file: string,
  places: { readonly endpoint: string; readonly storeFolder: string; readonly queueFile: string },
): Promise<void> {
  const lines = [
    "# Written by npm start: one machine, a folder and a SQLite queue, against the sandbox.",
    `ARCHIVER_IOTDA_ENDPOINT=${places.endpoint}`,
    `ARCHIVER_IOTDA_PROJECT_ID=${DEMO_PROJECT_ID}`,
    `HUAWEICLOUD_SDK_AK=${DEMO_ACCOUNT.ak}`,
    `HUAWEICLOUD_SDK_SK=${DEMO_ACCOUNT.sk}`,
    `ARCHIVER_STORE=${pathToFileURL(places.storeFolder).href}`,
    `ARCHIVER_QUEUE=sqlite://${pathToFileURL(places.queueFile).pathname}`,
    `# The platform allows one download per 30 s; the default is 31000. The sandbox is told the same number.`,
    `ARCHIVER_DOWNLOAD_INTERVAL_MS=${INTERVAL_MS}`,
  ];
  await writeFile(file, `${lines.join("\n")}\n`, { mode: 0o600 });
}
