import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

const FILE = join(import.meta.dirname, "RESULTS.md");

/** The first line of each bench's part of `bench/RESULTS.md`, in the order in which they stand there. */
export const RESULT_TITLES = {
  archiver: "# Benchmark results",
  relay: "# Relay to object storage",
  coldStart: "# Cold start of the functions",
  scale: "# A day after ten years",
} as const;

/** Puts a bench's pages, which begin with its title, in place of the ones from before; the other parts stay. */
export async function writeResults(
  part: keyof typeof RESULT_TITLES,
  pages: readonly string[],
): Promise<void> {
  const parts = (await readFile(FILE, "utf8")).split(/^(?=# )/m);
  const texts = Object.entries(RESULT_TITLES).map(([name, title]) =>
    name === part ? pages.join("\n\n") : (parts.find((text) => text.startsWith(`${title}\n`)) ?? ""),
  );
  await writeFile(
    FILE,
    `${texts
      .map((text) => text.trim())
      .filter((text) => text !== "")
      .join("\n\n")}\n`,
  );
}
