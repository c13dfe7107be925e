import type { ExportStory, LastRead, RevisionStory, StoryEvent } from "../catalogue/story.ts";
import { formatBytes } from "../domain/format-bytes.ts";
import { shortTime } from "./finding-lines.ts";
import { type Line, lines, red } from "./output.ts";
import { DAMAGE_ADVICE } from "./retention-lines.ts";
import { reasonInWords } from "./words.ts";

const NAME_WIDTH = 11;

/** `show`. */
export function storyLines(story: ExportStory): readonly Line[] {
  const { exportTaskId, revisions, holds } = story;
  const newest = revisions.find((revision) => revision.export !== undefined)?.export;
  const { batchTaskId, appId, exportCount, condition } = newest ?? {};
  return lines(
    fact("export task", exportTaskId),
    batchTaskId !== undefined && fact("batch task", batchTaskId),
    appId !== undefined && fact("app", appId),
    condition !== undefined && fact("made of", JSON.stringify(condition)),
    exportCount !== undefined && fact("rows", String(exportCount)),
    holds.map(({ key, pattern, record }) =>
      fact(
        "held",
        record === undefined
          ? `by ${key}${pattern === undefined ? ", which cannot be understood and holds every task" : ""}`
          : `by ${record.by} since ${shortTime(record.heldAt)}, on ${record.pattern}: ${record.reason}`,
      ),
    ),
    revisions.flatMap((revision) => ["", ...revisionLines(exportTaskId, revision, revisions.length > 1)]),
  );
}

function fact(name: string, value: string, lead = ""): string {
  return `${lead}${name.padEnd(NAME_WIDTH)}  ${value}`;
}

const STATE_WORDS: Readonly<Record<RevisionStory["state"], string>> = {
  kept: "archived; its task is still on the platform",
  deleted: "archived, and deleted from the platform",
  expired: "removed from the archive by the retention policy",
  damaged: "DAMAGED",
  "not-archived": "not archived",
  unreadable: "its records cannot be read",
};

const COPY_WORDS: Readonly<Record<NonNullable<RevisionStory["copy"]>, string>> = {
  "as-recorded": "in the store, with the recorded size",
  missing: "MISSING: the store has no such object",
  resized: "CHANGED: the object in the store has another size",
};

function revisionLines(exportTaskId: string, revision: RevisionStory, isOneOfMany: boolean): readonly Line[] {
  const { state, export: found, copy, lastRead, unreadable, story } = revision;
  const head = `revision ${revision.revision}: ${STATE_WORDS[state]}`;
  const indented = (name: string, value: string) => fact(name, value, "  ");
  const which = isOneOfMany ? ` --revision ${revision.revision}` : "";
  return lines(
    state === "damaged" || state === "unreadable" ? red(head) : head,
    found !== undefined && [
      indented("size", formatBytes(found.sizeBytes)),
      indented("SHA-256", found.sha256),
      indented("key", found.key),
    ],
    copy !== undefined && indented("copy", COPY_WORDS[copy]),
    found?.damage !== undefined && indented("inventory", `found it ${found.damage}`),
    found !== undefined && copy !== undefined && indented("last read", lastReadInWords(lastRead)),
    unreadable.length > 0 && red(indented("unreadable", `${unreadable.join(", ")}: look at its records`)),
    story.length > 0 && "  what happened (UTC)",
    story.map((event) => `    ${shortTime(event.at)}  ${eventInWords(event)}`),
    state === "damaged" && DAMAGE_ADVICE,
    (state === "kept" || state === "deleted") &&
      indented("restore it", `iotda-archiver restore ${exportTaskId}${which} --to .`),
  );
}

const READ_WORDS: Readonly<Record<LastRead["result"], string>> = {
  intact: "intact",
  changed: "CHANGED",
  missing: "MISSING",
  cold: "not readable in its storage class",
};

function lastReadInWords(lastRead: LastRead | undefined): string {
  if (lastRead === undefined) {
    return 'not known; "iotda-archiver verify" reads copies';
  }
  const { at, by, result } = lastRead;
  return `${shortTime(at)}, ${READ_WORDS[result]}${by === "archiving" ? ", when it was archived" : ""}`;
}

function eventInWords(event: StoryEvent): string {
  switch (event.kind) {
    case "requested":
      return event.by === "event" ? "requested by an event" : "requested by an operator";
    case "created":
      return "created on the platform";
    case "finished":
      return "finished on the platform";
    case "archived":
      return `archived, ${formatBytes(event.sizeBytes)}`;
    case "dead-lettered":
      return `given up: ${reasonInWords(event.reason)}`;
    case "deleted":
      return event.outcome === "deleted" ? "deleted from the platform" : "found gone from the platform";
    case "retained": {
      const until = event.keepUntil === "forever" ? "for ever" : `until ${event.keepUntil.slice(0, 10)}`;
      const lock = event.lockedUntil === undefined ? "" : `, locked until ${event.lockedUntil.slice(0, 10)}`;
      return `retained ${until} by rule "${event.rule}"${lock}`;
    }
    case "expired":
      return `removed by retention, rule "${event.rule}"`;
  }
}
