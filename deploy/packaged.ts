import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { formatBytes } from "../lib/domain/format-bytes.ts";

/** Where the deployment program puts what it made, unless it is told another folder. */
const PACKAGE_FOLDER = ".serverless";

const TEMPLATE = "cloudformation-template-update-stack.json";

/** What was packaged, with the size of each file, and where. @param root of the project. */
export async function packagedLines(root: string): Promise<readonly string[]> {
  const names = (await readdir(path.join(root, PACKAGE_FOLDER))).filter((name) => name.endsWith(".zip"));
  const files = await Promise.all(
    [...names.sort(), TEMPLATE].map(async (name) => {
      const { size } = await stat(path.join(root, PACKAGE_FOLDER, name));
      return { name, sizeBytes: size };
    }),
  );
  const widest = Math.max(...files.map(({ name }) => name.length));
  const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return [
    `Packaged ${names.length} functions and the template of the stack in ${PACKAGE_FOLDER}/, ${formatBytes(totalBytes)} in all:`,
    ...files.map(({ name, sizeBytes }) => `  ${name.padEnd(widest)}  ${formatBytes(sizeBytes).padStart(8)}`),
    "Next: npm run deploy",
  ];
}
