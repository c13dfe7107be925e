import { RESERVE_BYTES } from "../domain/disk-reserve.ts";
import { formatBytes } from "../domain/format-bytes.ts";
import type { OpenedArchive } from "../identity/open-archive.ts";
import { type TriedAbilities, triedAbilities } from "../identity/store-abilities.ts";
import { broken, type Check, type CheckResult, type Finding, hurts, judged, unknown, well } from "./check.ts";
import { type Asked, type Interview, notAsked, toldBy, unanswered } from "./interview.ts";
import type { FolderFacts, LifecycleRule, StorePort } from "./ports.ts";
import { largestNightBytes, type RecentRuns } from "./recent-runs.ts";

const NIGHTS = 3;
const WRITABLE_BY_EVERYBODY = 0o002;
/** What no rule may remove. */
const KEPT = ["exports/", "records/", "catalogue/", "holds/", "archive.json"] as const;

export interface StoreFacts extends Pick<StorePort, "place" | "prefix" | "sharesPace"> {
  readonly archive: Asked<OpenedArchive>;
  /** `undefined` where the store is not a folder. */
  readonly folder: Asked<FolderFacts> | undefined;
  readonly runs: Asked<RecentRuns>;
  readonly abilities: Asked<TriedAbilities | undefined>;
  /** `undefined` where the store is not a bucket. */
  readonly versioning: Asked<"on" | "suspended" | "off"> | undefined;
  readonly lifecycle: Asked<readonly LifecycleRule[]> | undefined;
}

type ArchiveFacts = Pick<StoreFacts, "place" | "archive">;

const ARCHIVE_CHECK: Check<ArchiveFacts> = {
  id: "store-archive",
  documentation: "docs/runbook.md#no-archive",
  judge: ofArchive,
};

const CHECKS: readonly Check<StoreFacts>[] = [
  ARCHIVE_CHECK,
  { id: "store-folder", documentation: "docs/runbook.md#system-failures", judge: ofFolder },
  { id: "store-space", documentation: "docs/runbook.md#system-failures", judge: ofSpace },
  {
    id: "store-abilities",
    documentation: "docs/architecture.md#7-store-profiles",
    judge: ofAbilities,
  },
  {
    id: "store-versions",
    documentation: "docs/deploy.md#object-lock",
    judge: ({ versioning }) => {
      if (versioning?.kind !== "told") {
        return versioning && unanswered("versions of the bucket", versioning);
      }
      switch (versioning.value) {
        case "on":
          return well("the bucket keeps versions");
        case "off":
          return well("the bucket keeps no versions: what is removed by mistake is gone");
        case "suspended":
          return hurts(
            "the bucket has stopped keeping versions: what is removed by mistake is gone",
            "Switch versioning of the bucket on again.",
          );
      }
    },
  },
  {
    id: "store-lifecycle",
    documentation: "docs/runbook.md#damaged-objects",
    judge: ({ lifecycle, prefix }) =>
      lifecycle?.kind === "told"
        ? ofLifecycle(lifecycle.value, prefix)
        : lifecycle && unanswered("lifecycle rules of the bucket", lifecycle),
  },
];

/** Asks the store. @param archive whether it is the archive that is meant: before that nothing else counts. */
export async function examineStore(
  port: StorePort,
  archive: Asked<OpenedArchive>,
  runs: Promise<Asked<RecentRuns>>,
  interview: Interview,
): Promise<readonly CheckResult[]> {
  const { place, prefix, sharesPace, folder, bucket } = port;
  const why = "the archive cannot be used";
  const [folderFacts, abilities, versioning, lifecycle, runsSeen] = await Promise.all([
    folder && interview.askAfter(archive, why, (signal) => folder({ signal })),
    interview.askAfter(archive, why, (signal) => triedAbilities(port, { signal })),
    bucket && interview.askAfter(archive, why, (signal) => bucket.versioning({ signal })),
    bucket && interview.askAfter(archive, why, (signal) => bucket.lifecycle({ signal })),
    archive.kind === "told" ? runs : notAsked(why),
  ]);
  const facts = { place, prefix, sharesPace, archive, folder: folderFacts, runs: runsSeen };
  return judged("store", CHECKS, { ...facts, abilities, versioning, lifecycle });
}

/** Whether the store is the archive that is meant: for those who want nothing else of it. */
export function judgeArchive(
  { place }: Pick<StorePort, "place">,
  archive: Asked<OpenedArchive>,
): readonly CheckResult[] {
  return judged("store", [ARCHIVE_CHECK], { place, archive });
}

function ofArchive({ archive, place }: ArchiveFacts): Finding {
  switch (archive.kind) {
    case "told": {
      const { marker, isEmpty } = archive.value;
      if (isEmpty === true) {
        return unknown(
          `${place} has no archive yet. Nothing is deleted, so the next run begins one: check the address`,
        );
      }
      return marker === undefined
        ? well(`${place} is an archive from before archive.json; the next run writes it`)
        : well(`${place} is archive ${marker.archiveId}`);
    }
    case "failed":
      return broken(`${place} cannot be used`, archive.failure.hint, archive.failure.message);
    case "not-asked":
      return unanswered(place, archive);
  }
}

function ofFolder({ folder, place }: StoreFacts): Finding | undefined {
  if (folder?.kind !== "told") {
    return folder && unanswered(`the folder of ${place}`, folder);
  }
  const { mode, unwritable } = folder.value;
  const [first] = unwritable;
  if (first !== undefined) {
    return broken(
      `this user cannot make files in ${first === "." ? place : `${place}/${first}`}`,
      "Run the archiver as the user who owns the folder, or give the folder to this user (chown -R).",
    );
  }
  const shown = (mode & 0o777).toString(8).padStart(4, "0");
  return (mode & WRITABLE_BY_EVERYBODY) === 0
    ? well(`this user can make files in ${place}, which has mode ${shown}`)
    : hurts(`everybody can change the archive: ${place} has mode ${shown}`, `chmod o-w ${place}`);
}

function ofSpace({ folder, runs }: StoreFacts): Finding | undefined {
  if (folder?.kind !== "told") {
    return undefined;
  }
  const { freeBytes, freeInodes } = folder.value;
  const remedy = "Free space on the disk of the archive, or move the archive to a larger one.";
  const free = `${formatBytes(freeBytes)} are free`;
  if (freeBytes < RESERVE_BYTES || freeInodes === 0) {
    return broken(
      freeInodes === 0 ? "the disk has room for no more files" : `${free}: no run can write`,
      remedy,
    );
  }
  const seen = toldBy(runs);
  const largest = seen === undefined ? 0 : largestNightBytes(seen);
  if (largest === 0) {
    return well(`${free}; how much a night takes is not known yet`);
  }
  const night = `the largest of the last nights took ${formatBytes(largest)}`;
  return freeBytes < NIGHTS * largest
    ? hurts(`${free}, less than ${NIGHTS} nights need: ${night}`, remedy)
    : well(`${free}; ${night}`);
}

function ofAbilities({ abilities, sharesPace }: StoreFacts): Finding {
  if (sharesPace === "always") {
    return well("any number of runners may share this store: its writes can be made conditional");
  }
  if (sharesPace === "never") {
    return well("one runner at a time: writes to this kind of store cannot be made conditional");
  }
  if (abilities.kind !== "told") {
    return unanswered("what this store can do", abilities);
  }
  if (abilities.value === undefined) {
    return unknown("what this store can do: not tried out yet; the first run does that");
  }
  const tried = `as tried out at ${abilities.value.triedAt}`;
  return abilities.value.compareAndSwap
    ? well(`any number of runners may share this store, ${tried}`)
    : well(`one runner at a time: writes to this store cannot be made conditional, ${tried}`);
}

function ofLifecycle(rules: readonly LifecycleRule[], prefix: string): Finding {
  const kept = KEPT.map((name) => ({ name, key: prefix === "" ? name : `${prefix}/${name}` }));
  const removing = rules
    .filter(({ expires }) => expires)
    .map((rule) => ({
      rule,
      names: kept.filter(({ key }) => key.startsWith(rule.prefix) || rule.prefix.startsWith(key)),
    }))
    .filter(({ names }) => names.length > 0);
  const worst = removing.find(({ rule }) => !rule.isNarrowed) ?? removing[0];
  if (worst === undefined) {
    return well("no lifecycle rule of the bucket removes what is archived");
  }
  const { rule, names } = worst;
  const which = names.map(({ name }) => name).join(", ");
  const when = rule.afterDays === undefined ? "at a date" : `after ${rule.afterDays} days`;
  const remedy = `Remove the rule ${JSON.stringify(rule.name)} from the bucket, or give it a prefix that none of these begins with.`;
  return rule.isNarrowed
    ? hurts(`a lifecycle rule removes ${when} what has certain tags or sizes in ${which}`, remedy)
    : broken(`a lifecycle rule removes ${when} what lies in ${which}`, remedy);
}
