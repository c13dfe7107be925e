import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { bareEnvironment, ROOT } from "./command-line.ts";

const CLI = join(ROOT, "dist", "cli.mjs");

/** The command line, as a shell redirects it. */
function spawnArchiver(args: readonly string[], redirection = "") {
  return spawn("sh", ["-c", `exec "$0" "$@" ${redirection}`, CLI, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: bareEnvironment(),
  });
}

// Every write to /dev/full fails, as on a full disk.
describe("output that cannot be written", () => {
  test.each([
    [["--version"], 1],
    [["dead-letters", "--help"], 1],
    // Wrong usage and configuration are told by exit 2 all the same.
    [["status", "--json"], 2],
  ])("%j is told in one line, without a stack trace", async (args, expected) => {
    const child = spawnArchiver(args, "> /dev/full");
    const [stderr, [exitCode]] = await Promise.all([text(child.stderr), once(child, "close")]);
    expect(stderr).toMatch(/^error: the program could not write its output \(ENOSPC\)$/m);
    expect(stderr).not.toMatch(/\n\s+at |node:/);
    expect(exitCode).toBe(expected);
  });

  test("whoever closes the pipe has read enough", async () => {
    const child = spawnArchiver(["--help"]);
    child.stdout.destroy();
    const [stderr, [exitCode]] = await Promise.all([text(child.stderr), once(child, "close")]);
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  });

  test("messages that go nowhere end no command", async () => {
    const [exitCode] = await once(spawnArchiver(["ruin"], "2> /dev/full"), "close");
    expect(exitCode).toBe(2);
  });
});
