import type { Scene } from "./scene.ts";
import { COPY_SCENES } from "./scenes/copies.ts";
import { DELETION_SCENES } from "./scenes/deletion.ts";
import { FAILURE_SCENES } from "./scenes/failures.ts";
import { IDENTITY_SCENES } from "./scenes/identity.ts";
import { INSPECTION_SCENES } from "./scenes/inspection.ts";
import { ODD_ITEM_SCENES } from "./scenes/odd-items.ts";
import { PACING_SCENES } from "./scenes/pacing.ts";
import { SETTLING_SCENES } from "./scenes/settling.ts";
import { STORE_QUEUE_SCENES } from "./scenes/store-queue.ts";

/** Every scene, in the order in which they are played. */
export const SCENES: readonly Scene[] = [
  ...INSPECTION_SCENES,
  ...COPY_SCENES,
  ...DELETION_SCENES,
  ...SETTLING_SCENES,
  ...FAILURE_SCENES,
  ...PACING_SCENES,
  ...ODD_ITEM_SCENES,
  ...IDENTITY_SCENES,
  ...STORE_QUEUE_SCENES,
];
