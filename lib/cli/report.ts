import { spawn } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { ConfigurationError } from "../config/errors.ts";
import { wireReport } from "../config/report-wiring.ts";
import { allEnded } from "../domain/promises.ts";
import { digestOf } from "../report/digest.ts";
import type { Digest, Night } from "../report/night.ts";
import { pageOf } from "../report/page.ts";
import { type ReportedNight, reportNight } from "../report/report-night.ts";
import type { Untold } from "../report/tell.ts";
import { loadConfiguration } from "./environment.ts";
import { interruptible } from "./operator.ts";
import { failureLines, type Line, lines, operatorLines, type Result, red, shownSecrets } from "./output.ts";
import { EXIT } from "./process.ts";
import type { CommonOptions } from "./session.ts";

interface ReportOptions extends CommonOptions {
  /** `yyyy-MM-dd` */
  readonly night?: string;
  readonly out?: string;
  readonly open?: true;
}

/**
 * `report`: makes the report of a night, stores it as a page and as JSON, and tells those who are to be told. Exit code 3
 * when the night needs somebody.
 */
export async function reportCommand({ night: date, out, open, ...options }: ReportOptions): Promise<Result> {
  const configuration = await loadConfiguration(options, ["platform", "store", "queue"]);
  const { report, notification, store: place } = configuration;
  const { language, url } = report;
  const say = await operatorLines();
  const wired = await wireReport(configuration, shownSecrets);
  try {
    return await interruptible(say, async (signal) => {
      const abilities = await wired.ports.store.preflight({ signal });
      const made = await wired.make({ date, signal });
      const { night } = made;
      const { notifyOn } = notification;
      const settings = { scope: wired.scope, abilities, notifyOn, language, url };
      const alone = () => pageOf(night, language, "alone");
      // Where the file cannot be written, people are told all the same; where the store cannot, the file is written.
      const [file, reported] = await allEnded([
        writtenTo(out, alone),
        reportNight(wired.ports, settings, made, { signal }),
      ]);
      const folder = place.kind === "file" ? place.folder : undefined;
      const where = file ?? (folder === undefined ? reported.pageKey : path.join(folder, reported.pageKey));
      if (open === true) {
        await openInBrowser(
          folder === undefined && file === undefined ? await temporaryFile(alone()) : where,
          say,
        );
      }
      return {
        document: night,
        lines: lines(
          reportLines(night, digestOf(night, language), where),
          toldLines(reported, wired.unreadable),
        ),
        exitCode: night.verdict === "ok" ? EXIT.done : EXIT.needsSomebody,
      };
    });
  } finally {
    await wired.close();
  }
}

async function writtenTo(out: string | undefined, page: () => string): Promise<string | undefined> {
  if (out === undefined) {
    return undefined;
  }
  try {
    await writeFile(out, page());
    return out;
  } catch (error) {
    const problem = "names a file that cannot be written";
    const fix = "Give a file in a folder that is there and that this user may write to.";
    throw new ConfigurationError([{ name: "--out", problem, fix }], error);
  }
}

/** A page that lies in a bucket is opened from a file of this machine. */
async function temporaryFile(page: string): Promise<string> {
  // In a folder of its own: in the common one, another user could lay a link there before.
  const folder = await mkdtemp(path.join(tmpdir(), "iotda-archiver-"));
  const file = path.join(folder, "report.html");
  await writeFile(file, page, { mode: 0o600 });
  return file;
}

const OPENERS: Readonly<Partial<Record<NodeJS.Platform, string>>> = { darwin: "open", linux: "xdg-open" };

/** Hands the page to the desktop; where there is none, only says so. */
async function openInBrowser(file: string, say: (line: string) => void): Promise<void> {
  const opener = OPENERS[process.platform];
  const isStarted =
    opener !== undefined &&
    (await new Promise<boolean>((resolve) => {
      const child = spawn(opener, [file], { stdio: "ignore", detached: true });
      child.once("error", () => resolve(false));
      child.once("spawn", () => {
        child.unref();
        resolve(true);
      });
    }));
  if (!isStarted) {
    say(`No browser could be started here. Open ${file} yourself.`);
  }
}

/** The digest, as those who are told get it, and where the page lies. */
function reportLines(night: Night, { subject, text }: Digest, where: string): readonly Line[] {
  return lines(
    night.verdict === "ok" ? subject : red(subject),
    "",
    text.trimEnd().split("\n"),
    "",
    `The page lies at ${where}`,
  );
}

function toldLines({ told }: ReportedNight, unreadable: readonly Untold[]): readonly Line[] {
  const { took = [], untold = [] } = told ?? {};
  return lines(
    took.length > 0 && `Told: ${took.join(", ")}`,
    [...unreadable, ...untold].flatMap(({ target, failure }) =>
      failureLines(failure, `Not told: ${target}: `, red),
    ),
  );
}
