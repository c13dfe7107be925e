/** The oldest Node this program runs on (architecture §6.5); a test holds it equal to `engines` in package.json. */
export const OLDEST_NODE = { major: 24, minor: 17 } as const;

/** The exit code for "this program cannot work as it was started". */
export const EXIT_MISUSE = 2;

/**
 * Why this program cannot run on the given Node, as one sentence; `undefined` when it can.
 *
 * @param version as `process.versions.node` has it, such as `24.17.0`.
 */
export function nodeVersionProblem(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const { major: oldestMajor, minor: oldestMinor } = OLDEST_NODE;
  const runs = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  return runs
    ? undefined
    : `iotda-archiver needs Node ${oldestMajor}.${oldestMinor} or newer, but this is Node ${version}: install a newer Node and start it again.`;
}
