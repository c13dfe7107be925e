/** The errno name of a failed file system call, or `undefined` for every other thrown thing. */
export function errnoOf(thrown: unknown): string | undefined {
  const isSystemError = thrown instanceof Error && "syscall" in thrown && "code" in thrown;
  return isSystemError && typeof thrown.code === "string" ? thrown.code : undefined;
}

/** Tells failures with one of these errno names from all others. */
export function hasErrno(...names: readonly string[]): (thrown: unknown) => boolean {
  return (thrown) => names.includes(errnoOf(thrown) ?? "");
}

/** Tells that nothing stands at a path. */
export const isMissing = hasErrno("ENOENT");
