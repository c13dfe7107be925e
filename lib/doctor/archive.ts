import type { PlatformScope } from "../domain/export-task.ts";
import { exportsRoot } from "../domain/key-layout.ts";
import type { OpenedArchive } from "../identity/open-archive.ts";
import type { CallOptions } from "../ports/platform.ts";
import { type Holds, HoldsReader } from "../records/holds.ts";
import type { InventoryState } from "../records/inventory-state.ts";
import { type Check, type CheckResult, hurts, judged, unknown, well } from "./check.ts";
import { type Asked, type Interview, unanswered } from "./interview.ts";
import type { StorePort } from "./ports.ts";

/** The next clean run ends an upload that a dead one left open; one older than this was met by none. */
const OLD_UPLOAD_MS = 24 * 3_600_000;

interface Uploads {
  readonly open: number;
  readonly old: number;
}

export interface ArchiveFacts {
  readonly inventory: Asked<InventoryState | undefined>;
  readonly uploads: Asked<Uploads>;
  readonly holds: Asked<Holds>;
}

const CHECKS: readonly Check<ArchiveFacts>[] = [
  {
    id: "archive-damage",
    documentation: "docs/runbook.md#copies-damaged",
    judge: ofInventory("damaged copies", ({ damage }) =>
      damage.length === 0
        ? well("the last inventory found no damaged copy")
        : hurts(
            `the last inventory found ${countOf(damage.length, "damaged copy", "damaged copies")}`,
            "iotda-archiver list --state damaged",
          ),
    ),
  },
  {
    id: "archive-orphans",
    documentation: "docs/runbook.md#orphans",
    judge: ofInventory("orphans", ({ counts: { orphans } }) =>
      orphans === 0
        ? well("the last inventory found no orphan")
        : hurts(
            `the last inventory found ${countOf(orphans, "orphan", "orphans")}: copies that no record names`,
            "iotda-archiver sweep",
          ),
    ),
  },
  {
    id: "archive-reading",
    documentation: "docs/runbook.md#verification-limit",
    judge: ofInventory("copies to be read again", ({ verification }) => {
      if (verification === undefined) {
        return unknown("copies to be read again: not known, because ARCHIVER_VERIFY_WITHIN_DAYS was 0");
      }
      const { oldestUnreadDays, limitDays, isLimitKept } = verification;
      const days = `the oldest unread copy was read ${countOf(Math.floor(oldestUnreadDays), "day", "days")} ago, and the limit is ${limitDays}`;
      return isLimitKept
        ? well(days)
        : hurts(
            `copies will not be read in time: ${days}`,
            "Raise ARCHIVER_VERIFY_BYTES_PER_DAY or ARCHIVER_VERIFY_WITHIN_DAYS; the inventory says to what.",
          );
    }),
  },
  {
    id: "archive-drill",
    documentation: "docs/runbook.md#drill-failed",
    judge: ({ inventory }) => {
      const drill = inventory.kind === "told" ? inventory.value?.verification?.drill : undefined;
      if (drill === undefined) {
        return undefined;
      }
      return drill.result === "failed"
        ? hurts(
            `the last drill could not restore ${drill.exportTaskId}`,
            `iotda-archiver restore ${drill.exportTaskId} --to drill.zip`,
          )
        : well(`the last drill restored ${drill.exportTaskId}`);
    },
  },
  {
    id: "archive-uploads",
    documentation: "docs/runbook.md#orphans",
    judge: ({ uploads }) => {
      if (uploads.kind !== "told") {
        return unanswered("open uploads", uploads);
      }
      const { open, old } = uploads.value;
      return old === 0
        ? well(
            open === 0
              ? "no upload is open"
              : `${countOf(open, "upload is", "uploads are")} open, none for a day`,
          )
        : hurts(
            `${countOf(old, "upload has", "uploads have")} been open for more than a day`,
            "iotda-archiver sweep",
          );
    },
  },
  {
    id: "archive-holds",
    documentation: "docs/runbook.md#left-alone",
    judge: ({ holds }) => {
      if (holds.kind !== "told") {
        return unanswered("holds", holds);
      }
      const { all, leftAlone } = holds.value;
      const [odd] = leftAlone;
      return odd === undefined
        ? well(
            all.length === 0
              ? "nothing is held"
              : `${countOf(all.length, "hold", "holds")} can be understood`,
          )
        : hurts(
            `${odd.key} cannot be understood, so it holds every task`,
            "Set the hold with iotda-archiver hold add, and move the file away.",
          );
    },
  },
];

/** Asks what is known of what is archived. */
export async function examineArchive(
  port: StorePort,
  scope: PlatformScope,
  archive: Asked<OpenedArchive>,
  inventory: Promise<Asked<InventoryState | undefined>>,
  interview: Interview,
  wallMs: () => number,
): Promise<readonly CheckResult[]> {
  const why = "the archive cannot be used";
  const [state, uploads, holds] = await Promise.all([
    inventory,
    interview.askAfter(archive, why, (signal) =>
      countUploads(port, scope, wallMs() - OLD_UPLOAD_MS, { signal }),
    ),
    interview.askAfter(archive, why, (signal) => new HoldsReader(port).read({ signal })),
  ]);
  return judged("archive", CHECKS, { inventory: state, uploads, holds });
}

async function countUploads(
  port: Pick<StorePort, "listUploads">,
  scope: PlatformScope,
  oldMs: number,
  options: CallOptions,
): Promise<Uploads> {
  let open = 0;
  let old = 0;
  for await (const { initiatedAtMs } of port.listUploads(exportsRoot(scope), options)) {
    open += 1;
    old += initiatedAtMs < oldMs ? 1 : 0;
  }
  return { open, old };
}

/** A check of what the last inventory said. */
function ofInventory(
  subject: string,
  judge: (state: InventoryState) => ReturnType<typeof well>,
): Check<ArchiveFacts>["judge"] {
  return ({ inventory }) => {
    if (inventory.kind !== "told") {
      return unanswered(subject, inventory);
    }
    return inventory.value === undefined
      ? unknown(`${subject}: not known, because no inventory was taken`)
      : judge(inventory.value);
  };
}

function countOf(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
