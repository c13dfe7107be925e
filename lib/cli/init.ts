import { wireInit } from "../config/store-wiring.ts";
import { type InitReport, initArchive } from "../identity/init-archive.ts";
import { loadConfiguration } from "./environment.ts";
import { count } from "./format.ts";
import { interruptible } from "./operator.ts";
import { isLive, type Line, lines, operatorLines, type Result, shownSecrets } from "./output.ts";
import { EXIT } from "./process.ts";
import type { CommonOptions } from "./session.ts";

interface InitOptions extends CommonOptions {
  readonly adopt?: boolean;
  /** Ask nothing, also at a terminal. */
  readonly yes?: boolean;
  readonly json?: boolean;
}

/**
 * `init`: makes an archive at the place that ARCHIVER_STORE names, or says which one is there. Safe twice. At a terminal
 * it first asks for the settings that are missing.
 */
export async function initCommand(options: InitOptions): Promise<Result> {
  if (!isGuided(options)) {
    return await makeArchive(options);
  }
  const { guidedInit } = await import("./guide/guided-init.ts");
  return await guidedInit(options, makeArchive);
}

/** Somebody is there to be asked, and wants to be. */
function isGuided({ adopt = false, yes = false, json = false }: InitOptions): boolean {
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY && isLive(process.stderr);
  return isTerminal && !adopt && !yes && !json;
}

async function makeArchive({
  adopt = false,
  ...options
}: InitOptions): Promise<Result & { readonly document: InitReport }> {
  const configuration = await loadConfiguration(options, ["store"]);
  const say = await operatorLines();
  const { ports, settings, close } = await wireInit(configuration, shownSecrets);
  try {
    const report = await interruptible(say, (signal) =>
      initArchive({ ...ports, say: (_code, message) => say(message) }, settings, { adopt, signal }),
    );
    return { document: report, lines: initLines(report), exitCode: EXIT.done };
  } finally {
    close();
  }
}

/** What `init` says: the archive, what else lies there, and what the operator loses with such a store. */
export function initLines(report: InitReport): readonly Line[] {
  const { archiveId, createdAt, made, replaced, found, foundMore } = report;
  const { createOnce, compareAndSwap, verification } = report.abilities;
  const each = found.map(({ name, objects }) => `${count(objects, "object")} in ${name}`);
  return lines(
    made
      ? `Created archive ${archiveId}.`
      : `Archive ${archiveId} already exists here, since ${createdAt.slice(0, 10)}.`,
    replaced !== undefined && `The queue remembered archive ${replaced}; from now on it remembers this one.`,
    found.length > 0 &&
      `init left alone what already lies below the prefix: ${each.join(", ")}${foundMore ? ", and more" : ""}.`,
    verification === "stored"
      ? "The archiver proves each copy by the digest that the store computes."
      : "The archiver proves each copy by reading it back.",
    !(createOnce && compareAndSwap) &&
      "This store has no conditional writes. Let only one machine at a time work on the archive.",
    `Set ARCHIVER_ARCHIVE_ID=${archiveId} to make every run refuse any other archive.`,
  );
}
