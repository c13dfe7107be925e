import { COPY_BUGS } from "./bugs/copies.ts";
import { DELETION_BUGS } from "./bugs/deletion.ts";
import { FAILURE_BUGS } from "./bugs/failures.ts";
import { IDENTITY_BUGS } from "./bugs/identity.ts";
import { INSPECTION_BUGS } from "./bugs/inspection.ts";
import { ODD_ITEM_BUGS } from "./bugs/odd-items.ts";
import { PACING_BUGS } from "./bugs/pacing.ts";
import { SETTLING_BUGS } from "./bugs/settling.ts";
import { STORE_QUEUE_BUGS } from "./bugs/store-queue.ts";
import type { PlantedBug } from "./planted-bug.ts";

/** Every planted bug, in the order of the protocol. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  ...INSPECTION_BUGS,
  ...COPY_BUGS,
  ...DELETION_BUGS,
  ...SETTLING_BUGS,
  ...FAILURE_BUGS,
  ...PACING_BUGS,
  ...ODD_ITEM_BUGS,
  ...IDENTITY_BUGS,
  ...STORE_QUEUE_BUGS,
];
