/**
 * PLACEHOLDER, to be replaced by the command line itself.
 *
 * @param args the words after the program's name.
 * @returns the exit code.
 */
export async function run(args: string[]): Promise<number> {
  process.stdout.write(`iotda-archiver has no commands yet (${args.length} words given)\n`);
  return 0;
}
