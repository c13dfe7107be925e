import { type ExportTaskListing, PlatformError } from "../ports/platform.ts";
import { MAX_CLOCK_SKEW_MS, PLACES_LIMIT, placesHeld } from "../run/platform-list.ts";
import { broken, type Check, type CheckResult, type Finding, hurts, judged, unknown, well } from "./check.ts";
import { type Asked, type Interview, notAsked, toldBy, unanswered, unansweredBehind } from "./interview.ts";
import type { PlatformPort } from "./ports.ts";

/** From here on few export slots are free. */
const MANY_PLACES = 45;
/** Half of what a run still accepts would be reached within months by a clock that is not kept right. */
const SUSPICIOUS_SKEW_MS = 60_000;

/** An id as the platform would take it. The platform makes its own ids, of hex digits. */
export const IMPOSSIBLE_TASK_ID = "doctor-asks-for-no-export-task";

/** Codes that certainly mean a limit of the request rate. */
const LIMIT_CODES: ReadonlySet<string | undefined> = new Set(["IOTDA.021101", "IOTDA.021102"]);

const CANNOT_BE_LISTED = "export tasks cannot be listed";
const GRANT_LIST = "Grant iotda:exporttasks:queryList to the user of this access key.";
const GRANT_DELETE =
  "Grant iotda:exporttasks:delete to the user of this access key. A grant takes some minutes.";

/** The secret with the access key could not be read: the check of the secrets says so. */
const KEY_FAILURES: ReadonlySet<string> = new Set(["configuration", "secret-unavailable"]);

export interface PlatformFacts
  extends Pick<PlatformPort, "host" | "proxyHost" | "signing" | "signingOfHost"> {
  readonly guessedRegion: string | undefined;
  readonly deletion: "after-verify" | "never";
  readonly connection: Asked<void>;
  readonly list: Asked<ExportTaskListing>;
  /** Asked for {@link IMPOSSIBLE_TASK_ID}. */
  readonly deletePermission: Asked<void>;
  /** This machine's clock when the list was answered. */
  readonly nowMs: number;
}

const CHECKS: readonly Check<PlatformFacts>[] = [
  {
    id: "platform-connection",
    documentation: "docs/iotda-api.md#35-endpoints-and-regions",
    judge: ({ host, proxyHost, connection }) => {
      const way = proxyHost === undefined ? host : `${host} through the proxy ${proxyHost}`;
      switch (connection.kind) {
        case "told":
          return well(`${way} can be reached`);
        case "failed":
          return broken(`${way} cannot be reached`, connection.failure.hint, connection.failure.message);
        case "not-asked":
          return unanswered(way, connection);
      }
    },
  },
  {
    id: "platform-signing",
    documentation: "docs/iotda-api.md#32-algorithm-v11-hmac-sha256-derived",
    judge: (facts) => {
      const { signing, signingOfHost, guessedRegion, list } = facts;
      const used = signing === "auto" ? signingOfHost : signing;
      const region =
        guessedRegion === undefined ? "" : `, for the region ${guessedRegion} that the host names`;
      return isSigningRefused(facts)
        ? broken(
            `the platform refuses the ${used} signature; hosts such as this one take the ${signingOfHost} one`,
            "Remove ARCHIVER_IOTDA_SIGNING, or set it to auto.",
            list.kind === "failed" ? list.failure.message : undefined,
          )
        : well(`requests carry the ${used} signature${region}`);
    },
  },
  {
    id: "platform-list",
    documentation: "docs/runbook.md#system-failures",
    judge: (facts) => {
      const { list } = facts;
      if (list.kind === "told") {
        return well("this access key may list export tasks");
      }
      const isWithoutKey = list.kind === "failed" && KEY_FAILURES.has(list.failure.code);
      return list.kind === "not-asked" || isWithoutKey || isSigningRefused(facts)
        ? unanswered("whether this access key may list", list)
        : ofFailedList(list);
    },
  },
  {
    id: "platform-clock",
    documentation: "docs/architecture.md#preflight",
    judge: ({ list, nowMs }) => {
      if (list.kind !== "told") {
        return unansweredBehind("the platform's clock", list, CANNOT_BE_LISTED);
      }
      const { platformDateMs: platformMs } = list.value;
      if (platformMs === undefined) {
        return unknown("the platform's clock: not known, because the platform did not tell it");
      }
      const skewMs = nowMs - platformMs;
      const words = `this machine's clock is ${inWords(Math.abs(skewMs))} ${skewMs > 0 ? "ahead of" : "behind"} the platform's`;
      const remedy = "Correct this machine's clock, and keep it right (NTP).";
      if (Math.abs(skewMs) > MAX_CLOCK_SKEW_MS) {
        return broken(`${words}; beyond 5 min no run begins`, remedy);
      }
      return Math.abs(skewMs) >= SUSPICIOUS_SKEW_MS
        ? hurts(`${words}; beyond 5 min no run begins`, remedy)
        : well("this machine's clock agrees with the platform's");
    },
  },
  {
    id: "platform-places",
    documentation: "docs/runbook.md#tasks-held",
    judge: ({ list }) => {
      if (list.kind !== "told") {
        return unansweredBehind("export slots", list, CANNOT_BE_LISTED);
      }
      const held = placesHeld(list.value);
      const text = `${held} of ${PLACES_LIMIT} export slots are used`;
      return held >= MANY_PLACES
        ? hurts(
            `${text}; when all are used, each new export destroys the oldest one`,
            "Archive now: iotda-archiver run",
          )
        : well(text);
    },
  },
  {
    id: "platform-delete",
    documentation: "docs/iotda-api.md#7-to-confirm-on-a-live-instance",
    judge: ofDeletePermission,
  },
];

/** Asks the platform. No question takes a download slot. */
export async function examinePlatform(
  port: PlatformPort,
  deletion: "after-verify" | "never",
  interview: Interview,
  wallMs: () => number,
): Promise<{ readonly results: readonly CheckResult[]; readonly list: Asked<ExportTaskListing> }> {
  const connection = await interview.ask((signal) => port.connect({ signal }));
  const list = await interview.askAfter(connection, "the platform cannot be reached", (signal) =>
    port.listExportTasks({ signal }),
  );
  const nowMs = wallMs();
  const deletePermission = await askForDelete(port, deletion, list, interview);
  const { host, proxyHost, signing, signingOfHost, guessedRegion } = port;
  const facts = {
    ...{ host, proxyHost, signing, signingOfHost, guessedRegion },
    ...{ deletion, connection, list, deletePermission, nowMs },
  };
  return { results: judged("platform", CHECKS, facts), list };
}

async function askForDelete(
  port: PlatformPort,
  deletion: "after-verify" | "never",
  list: Asked<ExportTaskListing>,
  interview: Interview,
): Promise<Asked<void>> {
  if (deletion === "never") {
    return notAsked("deletion is off");
  }
  const isListed = toldBy(list)?.tasks.some(({ exportTaskId }) => exportTaskId === IMPOSSIBLE_TASK_ID);
  if (isListed === true) {
    return notAsked("the platform lists the id that was meant to belong to no task");
  }
  return await interview.askAfter(list, CANNOT_BE_LISTED, (signal) =>
    port.deleteExportTask(IMPOSSIBLE_TASK_ID, { signal }),
  );
}

/** A signature that does not fit the host is refused; one that fits is refused for other reasons. */
function isSigningRefused({ signing, signingOfHost, list }: PlatformFacts): boolean {
  const isAuto = signing === "auto" || signing === signingOfHost;
  const code = list.kind === "failed" ? list.failure.code : undefined;
  return !isAuto && (code === "platform-unauthenticated" || code === "platform-misconfigured");
}

function ofFailedList({ failure, thrown }: Extract<Asked<unknown>, { kind: "failed" }>): Finding {
  if (!isThrottled(thrown)) {
    return broken("export tasks cannot be listed", failure.hint, failure.message);
  }
  return isCertainLimit(thrown)
    ? unknown(`whether this access key may list: not known, because ${failure.message}`)
    : broken(
        "export tasks cannot be listed",
        GRANT_LIST,
        `${failure.message}, a code that is not documented`,
      );
}

/** The answer is about an id that no task has, so it says what this key may do. Whether it does is not certain. */
function ofDeletePermission({ deletePermission: asked }: PlatformFacts): Finding {
  const unverified =
    "this holds if the platform checks the permission before it looks for the task, which is unverified";
  if (asked.kind === "not-asked") {
    return unanswered("whether this access key may delete", asked);
  }
  if (asked.kind === "told") {
    return unknown("whether this access key may delete: not known; the platform accepted an id of no task");
  }
  const { failure, thrown } = asked;
  if (failure.code === "platform-task-not-found") {
    return well(`this access key may delete export tasks; ${unverified}`);
  }
  const isRefused = failure.code === "platform-forbidden" || (isThrottled(thrown) && !isCertainLimit(thrown));
  return isRefused
    ? hurts("this access key may not delete export tasks: they would be kept", GRANT_DELETE, failure.message)
    : unknown(`whether this access key may delete: not known, because ${failure.message}`);
}

function isThrottled(thrown: unknown): thrown is PlatformError {
  return thrown instanceof PlatformError && thrown.code === "platform-throttled";
}

/** A 403 with another code may be a limit or a missing permission (iotda-api §2.3 rule 2). */
function isCertainLimit({ httpStatus, platformCode }: PlatformError): boolean {
  return httpStatus !== 403 || LIMIT_CODES.has(platformCode);
}

function inWords(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
