import {
  type Asked,
  answered,
  type Finding,
  notAsked,
  type Refusal,
  refusalInWords,
  type Seen,
  withoutAnswer,
} from "./evidence.ts";

/** `unknown-task`: how a download of an id of no task is answered. */
export function readUnknownTask({ files }: Seen): Finding {
  return ofRefusedDownload(files.unknown, "The download of an id of no task");
}

/** `unfinished-file`: how a download of a task without a file is answered. */
export function readUnfinishedFile({ files, unfinishedStatus = "" }: Seen): Finding {
  const status = /^[A-Za-z]{1,20}$/.test(unfinishedStatus) ? unfinishedStatus : "another";
  return ofRefusedDownload(files.unfinished, `The download of a task that is listed as \`${status}\``);
}

/** A 403 with another code may be a limit or say something about the task (iotda-api §2.3 rule 2). */
function isCertainLimit({ code, httpStatus, platformCode = "" }: Refusal): boolean {
  const isLimitCode = platformCode === "IOTDA.021101" || platformCode === "IOTDA.021102";
  return code === "platform-throttled" && (httpStatus !== 403 || isLimitCode);
}

function ofRefusedDownload(asked: Asked<unknown>, subject: string): Finding {
  switch (asked.kind) {
    case "refused":
      // A limit was met on the way: what the platform says about the task is still unknown.
      return isCertainLimit(asked.refusal)
        ? withoutAnswer(asked)
        : answered(
            `${subject} is answered with ${refusalInWords(asked.refusal)}. The program calls it \`${asked.refusal.code}\`.`,
          );
    case "told":
      return answered(`${subject} is answered with status 200 and a body.`);
    case "failed":
    case "not-asked":
      return withoutAnswer(asked);
  }
}

/** `pace-refusal` and `throttling-codes`: no request provokes a limit, but one may be met. */
export function readThrottling({ throttled }: Seen): Finding {
  if (throttled.length === 0) {
    return notAsked("no request was throttled, and the probe keeps the pace rather than provoke it");
  }
  const seen = throttled.map(({ operation, refusal }) => `${operation}: ${refusalInWords(refusal)}`);
  return answered(`Taken for throttling, without being provoked: ${[...new Set(seen)].join("; ")}.`);
}

/** `same-condition`: whether an export that is asked for again keeps its id. */
export function readSameCondition({ created }: Seen): Finding {
  if (created.kind !== "told") {
    return withoutAnswer(created);
  }
  const { exportTaskId, earlierIds, stillListedIds } = created.value;
  if (earlierIds.length === 0) {
    return notAsked("the platform held no earlier export of this batch task");
  }
  if (earlierIds.includes(exportTaskId)) {
    return answered("Yes. The export has the id of the earlier one.");
  }
  const gone = earlierIds.length - stillListedIds.length;
  return answered(
    `No. The export has a new id. Of ${earlierIds.length} earlier tasks, the next list shows ${stillListedIds.length} and lacks ${gone}.`,
  );
}
