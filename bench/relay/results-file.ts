import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

const FILE = join(import.meta.dirname, "..", "RESULTS.md");
const TITLE = "# Relay to object storage";

/** The first line of this bench's part of `bench/RESULTS.md`, which is its last part. */
export const RELAY_TITLE = TITLE;

/** Puts the pages behind what other benches wrote, in place of the ones from before. */
export async function writeRelayPart(pages: readonly string[]): Promise<void> {
  const before = await readFile(FILE, "utf8");
  const ownAt = before.indexOf(`\n${TITLE}\n`);
  const others = (ownAt < 0 ? before : before.slice(0, ownAt)).trimEnd();
  await writeFile(FILE, `${others}\n\n${pages.join("\n\n")}\n`);
}
