import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bareEnvironment, ROOT } from "./command-line.ts";
import { ACCOUNT, type Lab, openLab, PROJECT_ID } from "./lab.ts";

/** util-linux has it: it gives a program a terminal of its own. */
const SCRIPT = "/usr/bin/script";
const CTRL_C = "\u0003";
const CLI = join(ROOT, "dist", "cli.mjs");

/** A program on a terminal, and what stands on the screen. */
class OnTerminal {
  screen = "";
  #read = 0;
  readonly #child;
  readonly exitCode: Promise<number | null>;

  constructor(line: string, home: string) {
    const env = { ...bareEnvironment(), HOME: home, TERM: "xterm", NO_COLOR: "1", SHELL: "/bin/sh" };
    const stdio: ["pipe", "pipe", "inherit"] = ["pipe", "pipe", "inherit"];
    this.#child = spawn(SCRIPT, ["-qefc", `stty cols 100; ${line}`, "/dev/null"], { env, cwd: home, stdio });
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.screen += text;
    });
    this.exitCode = new Promise((resolve) => this.#child.on("close", resolve));
  }

  /** Waits for a question, and types. */
  async answer(question: string, keys: string): Promise<void> {
    await expect.poll(() => this.screen.indexOf(question, this.#read), { message: question }).not.toBe(-1);
    this.#read = this.screen.length;
    this.#child.stdin.write(keys);
  }

  /** @returns the exit code, once all is on the screen. */
  async end(): Promise<number | null> {
    const code = await this.exitCode;
    this.#child.stdin.destroy();
    return code;
  }
}

function startGuide(lab: Lab): OnTerminal {
  return new OnTerminal(`${CLI} init`, lab.folder);
}

async function answerUpToKeys(guide: OnTerminal, lab: Lab): Promise<void> {
  await guide.answer("File for the settings", "guided.env\r");
  await guide.answer("Address of IoTDA:", "nonsense\r");
  await guide.answer("Address of IoTDA:", `${lab.endpoint}\r`);
  await guide.answer("Project id", `${PROJECT_ID}\r`);
  await guide.answer("Access key id:", `${ACCOUNT.ak}\r`);
}

describe.skipIf(!existsSync(SCRIPT))("init at a terminal", () => {
  test("asks, writes the file of settings, makes the archive, and shows the doctor's verdict and cron's lines", async (context) => {
    const lab = await openLab(context, { begun: false });
    const guide = startGuide(lab);
    await answerUpToKeys(guide, lab);
    await guide.answer("Secret key:", `${ACCOUNT.sk}\r`);
    await guide.answer("Where do the copies go", "\r");
    await guide.answer("Folder of the archive", "copies\r");
    await guide.answer("Queue", "queue.db\r");
    await guide.answer("Delete an export task", "\r");
    await guide.answer("Time zone", "UTC\r");
    await guide.answer("Write this to", "\r");
    expect(await guide.end(), guide.screen).toBe(0);
    const file = join(lab.folder, "guided.env");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, "utf8")).toContain(`HUAWEICLOUD_SDK_SK=${ACCOUNT.sk}\n`);
    expect(await readdir(join(lab.folder, "copies"))).toContain("archive.json");
    const { screen } = guide;
    expect(screen).toContain('"nonsense" is not an https:// or http:// URL');
    expect(screen).toMatch(/^Created archive /m);
    expect(screen).toMatch(/^It works, but something will hurt\. \d+ √/m);
    expect(screen).toMatch(
      /^\*\/30 \* \* \* \* .* run --max-minutes 29 --config \S+guided\.env >>\S+ 2>&1\r?$/m,
    );
    expect(screen).not.toContain(ACCOUNT.ak);
    expect(screen).not.toContain(ACCOUNT.sk);
    const again = new OnTerminal(`${CLI} init --config guided.env`, lab.folder);
    expect(await again.end(), again.screen).toBe(0);
    expect(again.screen).toMatch(/guided\.env has all settings that are needed\.\r?$/m);
    expect(again.screen).toMatch(/^Archive \S+ already exists here/m);
  });

  test("leaves nothing behind at Ctrl-C, not even while a key is typed", async (context) => {
    const lab = await openLab(context, { begun: false });
    const before = await readdir(lab.folder);
    const guide = startGuide(lab);
    await answerUpToKeys(guide, lab);
    await guide.answer("Secret key:", `${ACCOUNT.sk}${CTRL_C}`);
    expect(await guide.end(), guide.screen).toBe(130);
    expect(guide.screen).toMatch(/^Nothing was written\.\r?$/m);
    expect(guide.screen).not.toContain(ACCOUNT.sk);
    expect(await readdir(lab.folder)).toEqual(before);
  });

  test("asks nothing with --yes", async (context) => {
    const lab = await openLab(context, { begun: false });
    const guide = new OnTerminal(`${CLI} init --yes --config ${lab.envFile}`, lab.folder);
    expect(await guide.end(), guide.screen).toBe(0);
    expect(guide.screen).toMatch(/^Created archive \S+\r?\n[^\r\n]+\r?\n[^\r\n]+\r?\n/);
    expect(guide.screen).not.toContain("settings\r");
    const bare = new OnTerminal(`${CLI} init --yes`, lab.folder);
    expect(await bare.end(), bare.screen).toBe(2);
  });
});
