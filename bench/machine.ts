import { statfs } from "node:fs/promises";
import { cpus, loadavg, release, tmpdir, totalmem } from "node:os";

const GIB = 1024 ** 3;

/** File systems as `statfs` numbers them (linux/magic.h). */
const FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0xef53, "ext4"],
  [0x01021994, "tmpfs"],
  [0x58465342, "xfs"],
  [0x9123683e, "btrfs"],
  [0x794c7630, "overlayfs"],
]);

/** What the figures were measured on, as lines of text. */
export async function machineLines(): Promise<readonly string[]> {
  const processors = cpus();
  const { type } = await statfs(tmpdir());
  return [
    `${processors.length} cores (${processors[0]?.model ?? "unknown"}), ${(totalmem() / GIB).toFixed(1)} GiB RAM`,
    `Node ${process.versions.node}, Linux ${release()}, ${process.arch}, temporary folder on ${FILE_SYSTEMS.get(type) ?? `file system 0x${type.toString(16)}`}`,
    `load average before: ${(loadavg()[0] ?? Number.NaN).toFixed(2)} (other work on the machine shows in every figure)`,
    `${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC`,
  ];
}
