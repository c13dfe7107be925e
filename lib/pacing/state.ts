import * as v from "valibot";
import type { StoredDocument } from "../ports/object-store.ts";
import { parseRecord } from "../records/schemas.ts";

const pacingStateSchema = v.object({
  /** The first moment, on the store's clock, that nobody has claimed yet. Epoch milliseconds. */
  nextAt: v.pipe(v.number(), v.finite(), v.minValue(0)),
  nonce: v.string(),
  runId: v.string(),
});

/** The document in `state/pacing.json`, shared by all runners (architecture §5). */
export type PacingState = v.InferOutput<typeof pacingStateSchema>;

/** Reads the state. `undefined`: it cannot be read, or lies so far ahead that no throttling explains it. */
export function parsePacingState(
  document: Pick<StoredDocument, "text">,
  latestBelievableMs: number,
): PacingState | undefined {
  const state = parseRecord(pacingStateSchema, document);
  return state !== undefined && state.nextAt <= latestBelievableMs ? state : undefined;
}
