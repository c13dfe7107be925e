import { expect, onTestFinished, test, vi } from "vitest";
import { run } from "./program.ts";

/** Runs the command line in this process. */
async function ended(args: readonly string[]) {
  const [stdout, stderr] = [process.stdout, process.stderr].map((stream) => {
    const said: string[] = [];
    const write = vi.spyOn(stream, "write").mockImplementation((text, encoding, done) => {
      said.push(String(text));
      (typeof encoding === "function" ? encoding : done)?.();
      return true;
    });
    onTestFinished(() => write.mockRestore());
    return said;
  });
  const exitCode = await run([...args]);
  return { exitCode, stdout: stdout?.join(""), stderr: stderr?.join("") };
}

test.each([
  [["ruin"], "unknown command 'ruin'"],
  [["run", "--jsno"], "unknown option '--jsno'"],
  [["run", "--max-minutes", "0"], "whole number of at least 1"],
  [["run", "--max-minutes"], "argument missing"],
  [["run", "now"], "too many arguments"],
  [["dead-letters", "redirve", "3"], "unknown command 'redirve'\n(Did you mean redrive?)"],
  [["dead-letters", "redirve", "--all"], "unknown command 'redirve'\n(Did you mean redrive?)"],
  [["dead-letters", "list", "now"], "too many arguments"],
  [["retention", "paln"], "unknown command 'paln'\n(Did you mean plan?)"],
  [["hold", "add", "a b", "--reason", "x"], "'a b' is invalid"],
  [["hold", "foo", "--reason", "x"], "unknown command 'foo'\n"],
  [["dead-letters", "list", "--limit", "many"], "whole number of at least 1"],
  [["dead-letters", "redrive"], "name the letters to move back, or give --all"],
  [["verify", "--sample", "10%", "--all"], "'--sample <percent>' cannot be used with option '--all'"],
  [["verify", "--due", "--all"], "option '--all' cannot be used with option '--due'"],
  [["verify", "--sample", "0.05%%"], "more than 0% and at most 100%"],
  [["dead-letters", "redrive", "1", "--all"], "--all moves every letter back, so it takes no ids"],
  [["restore", "../x", "--to", "x.zip"], "1 to 36 letters, digits, hyphens and underscores"],
  [["restore", "x", "--to", ""], "must name a file"],
  [["restore", "x", "--to", "x.zip", "--revision", "beef"], "8 hex digits"],
])("%j is refused with exit 2 and one line that says why", async (args, reason) => {
  const { exitCode, stdout, stderr } = await ended(args);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toMatch(/^error: .+\n(\(Did you mean .+\)\n)?$/);
  expect(stderr).toContain(reason);
});

test.each([
  [["--help"], / run [\s\S]* discover [\s\S]* archive [\s\S]* status [\s\S]* dead-letters /],
  [
    ["help"],
    /Exit codes:\n {2}0 .*\n {2}1 .*\n {7}.*\n {2}2 .*\n {2}3 .*\n {7}.*\n {2}130 .*\n\nExamples:\n/,
  ],
  [["--version"], /^\d+\.\d+\.\d+\n$/],
  [["help", "archive"], /--under-pressure/],
  [["run", "--help"], /--max-minutes[\s\S]*--env-file <file>[\s\S]*--json/],
  [["discover", "--help"], /--env-file <file>[\s\S]*--json/],
  [["archive", "--help"], /--max-minutes[\s\S]*--under-pressure/],
  [["status", "-h"], /--env-file <file>/],
  [["dead-letters", "--help"], /list [\s\S]*redrive /],
  [["dead-letters", "list", "--help"], /--limit <n>/],
  [["verify", "--help"], /--sample <percent> .*such as 10% \(default: 5%\)/],
  [
    ["dead-letters", "dismiss", "--help"],
    /--reason <text> +Why \(required\)\n {2}--by <name> +Who dismisses them \(default: this user\)\n/,
  ],
  [["hold", "add", "--help"], /--reason <text> +Why \(required\)/],
  [["hold", "remove", "--help"], /--reason <text> +Why \(required\)/],
  [["restore", "--help"], /--to <file> +The new file, which must not exist yet;[\s\S]*\(required\)/],
  [["dead-letters", "redrive", "--help"], /\[ids\.\.\.\][\s\S]*--all/],
])("%j is answered on stdout, exit 0", async (args, text) => {
  const { exitCode, stdout, stderr } = await ended(args);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toMatch(text);
});
