import { BodyCheck, type BodyVerdict } from "../body-check.ts";

export const LIMIT_BYTES = 5 * 1024 * 1024;

export interface Given {
  readonly accept?: "zip" | "any";
  readonly membersLimitBytes?: number;
  readonly contentLengthBytes?: number;
}

/** The verdict on a body that comes in these chunks. */
export async function judge(chunks: readonly Uint8Array[], given: Given = {}): Promise<BodyVerdict> {
  const check = new BodyCheck({
    accept: given.accept ?? "zip",
    membersLimitBytes: given.membersLimitBytes ?? LIMIT_BYTES,
    contentLengthBytes: given.contentLengthBytes,
  });
  for (const chunk of chunks) {
    // Handing over a copy that is wiped right after shows that no reference is kept.
    const lent = Buffer.from(chunk);
    check.update(lent);
    lent.fill(0);
  }
  return check.finish({ signal: new AbortController().signal });
}

/** A verdict in one or two words, for tests that only look at it. */
export function outcomeOf(verdict: BodyVerdict): string {
  return verdict.kind === "whole" ? `whole ${verdict.container}` : verdict.kind;
}
