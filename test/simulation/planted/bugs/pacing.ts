import type { PlantedBug } from "../planted-bug.ts";

/** Bugs in the pace of downloads. */
export const PACING_BUGS: readonly PlantedBug[] = [
  {
    name: "two claims outstanding",
    breaks:
      "A process claims a second slot before its first is used: one that is late is lost to the process itself.",
    invariant: "I4",
    file: "lib/pacing/pacer.ts",
    find: "this.#lastTurn = Promise.all([inFront, settled]);",
    replace: "this.#lastTurn = Promise.all([inFront, settled].slice(2));",
  },
  {
    name: "pacing without compare-and-swap",
    breaks: "Two runners that read the state at the same moment take the same slot.",
    invariant: "I4",
    file: "lib/pacing/shared-pace.ts",
    find: '({ kind: "if-match", etag: found.etag } as const)',
    replace: '({ kind: "always" } as const)',
  },
  {
    name: "failed swap taken for granted",
    breaks: "A slot that another runner won is used by both.",
    invariant: "I4",
    file: "lib/pacing/shared-pace.ts",
    find: "parsePacingState(now, Number.POSITIVE_INFINITY)?.nonce === state.nonce;",
    replace: "parsePacingState(now, Number.POSITIVE_INFINITY)?.nonce !== undefined;",
  },
  {
    name: "stale slot used",
    breaks: "A request that comes late for its slot is written all the same, too close to the next.",
    invariant: "I4",
    file: "lib/pacing/pacer.ts",
    find: "this.nowMs() > claim.latestMs;",
    replace: "leadMs < 0;",
  },
  {
    name: "refused download not counted",
    breaks: "After a throttling answer the next request follows at once.",
    invariant: "I4",
    file: "lib/pacing/pacer.ts",
    find: "nextAtMs = Math.min(farthestMs, Math.max(state.nextAtMs, nowMs) + penaltyMs);",
    replace: "nextAtMs = Math.min(farthestMs, nowMs);",
  },
  {
    name: "penalty pulls claimed slots back",
    breaks: "A throttling answer sets the pace from now on, over a slot that is already granted.",
    invariant: "I4",
    file: "lib/pacing/pacer.ts",
    find: "nextAtMs = Math.min(farthestMs, Math.max(state.nextAtMs, nowMs) + penaltyMs);",
    replace: "nextAtMs = Math.min(farthestMs, nowMs + penaltyMs);",
  },
  {
    name: "own claims forgotten",
    breaks: "A runner whose state was written over by another takes a slot too close to its own last one.",
    invariant: "I4",
    file: "lib/pacing/shared-pace.ts",
    find: "change({ ...seen, nextAtMs: Math.max(seen.nextAtMs, this.#ownNextAtMs) })",
    replace: "change(seen)",
  },
  {
    name: "corrupt state starts at once",
    breaks: "A state that cannot be read lets a download start at once, whoever just began one.",
    invariant: "I4",
    file: "lib/pacing/shared-pace.ts",
    find: "return { nextAtMs: nowMs + intervalMs, nonce: undefined };",
    replace: "return { nextAtMs: nowMs, nonce: undefined };",
  },
  {
    name: "runner's clock instead of the store's",
    breaks: "Runners whose clocks differ keep different paces.",
    invariant: "I4",
    file: "lib/pacing/shared-pace.ts",
    find: "new SharedPace(options, storeMs - options.clock.monotonicMs())",
    replace: "new SharedPace(options, options.clock.wallMs() - options.clock.monotonicMs())",
  },
  {
    name: "late slot extended over another's claim",
    breaks:
      "A late runner moves the pace on from its own present, over the slot that another one has claimed.",
    invariant: "I4",
    file: "lib/pacing/pacer.ts",
    find: 'return state.nonce === claim.nonce ? { kind: "write", nextAtMs } : { kind: "leave" };',
    replace: 'return { kind: "write", nextAtMs };',
  },
  {
    name: "late slot extended for itself only",
    breaks:
      "A late runner writes its request without telling the others, who begin an interval after the old slot.",
    invariant: "I4",
    file: "lib/pacing/pacer.ts",
    find: "claim = await this.#extend(claim, leadMs, call);",
    replace: "claim = this.#claimed(this.nowMs(), leadMs, claim.nonce);",
  },
  {
    name: "room for late requests used and not reserved",
    breaks:
      "A runner that lost a slot lets its next request be late, but others may claim the time behind it.",
    invariant: "I4",
    file: "lib/pacing/pacer.ts",
    find: "nextAtMs: startsAtMs + roomMs + this.#options.intervalMs };",
    replace: "nextAtMs: startsAtMs + this.#options.intervalMs };",
  },
  {
    name: "extension does not count",
    breaks: "A late slot is extended, and the next slot stays where it was.",
    invariant: "I4",
    file: "lib/pacing/pacer.ts",
    find: "const nextAtMs = startsAtMs + leadMs + this.#options.intervalMs;",
    replace: "const { nextAtMs } = state;",
  },
  {
    name: "extended slot used after its lead",
    breaks:
      "The store takes longer to extend a slot than the extension leaves room for, and the runner does not look again.",
    invariant: "I4",
    file: "lib/pacing/pacer.ts",
    find: "leadMs = Math.min(this.#maxRoomMs(), 2 * Math.max(leadMs, this.#pace.lastSwapMs));\n      claim = await this.#extend(claim, leadMs, call);",
    replace: "claim = await this.#extend(claim, leadMs, call);\n      break;",
  },
];
