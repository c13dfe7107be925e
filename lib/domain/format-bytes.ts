const KIB = 1024;
const SIZE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** `0 B`, `10.0 KiB`, `1.25 GiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= KIB && unit < SIZE_UNITS.length - 1) {
    value /= KIB;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${SIZE_UNITS[unit] ?? ""}`;
}

/** `1.20 KiB instead of 3.40 MiB`; in bytes where both would read the same. */
export function formatOtherSize(bytes: number, expectedBytes: number): string {
  const [size, expected] = [formatBytes(bytes), formatBytes(expectedBytes)];
  return size === expected && bytes !== expectedBytes
    ? `${bytes} bytes instead of ${expectedBytes}`
    : `${size} instead of ${expected}`;
}
