import type { WaitReason } from "./decide.ts";

/** Why a request waits, for a person; none is a whole sentence. */
export const WAIT_WORDS: Readonly<Record<WaitReason, string>> = {
  "places-held":
    "45 or more export slots are used, or all but 5 of ARCHIVER_EXPORT_PLACES; another export could evict an unarchived one",
  "unfinished-limit": "five exports are being made, and the platform allows no more",
  "same-condition-unfinished": "an export of the same batch task is being made",
  "same-condition-unarchived": "an export of the same batch task is not archived yet",
  claimed: "another run is creating the export, or crashed before it could",
  "tried-just-now": "the last attempt failed a moment ago",
  "list-too-old": "the platform and the store answer too slowly to create an export safely",
  "older-requests-first": "many older requests come first",
  "request-file-unreadable": "unrecognised file under requests/",
};
