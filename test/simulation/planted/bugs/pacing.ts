import type { PlantedBug } from "../planted-bug.ts";

/** Bugs in the pace of downloads. */
export const PACING_BUGS: readonly PlantedBug[] = [
  {
    name: "pacing without compare-and-swap",
    breaks: "Two runners that read the state at the same moment take the same slot.",
    invariant: "I4",
    file: "lib/pacing/pacer.ts",
    find: '({ kind: "if-match", etag: found.etag } as const)',
    replace: '({ kind: "always" } as const)',
  },
  {
    name: "failed swap taken for granted",
    breaks: "A slot that another runner won is used by both.",
    invariant: "I4",
    file: "lib/pacing/pacer.ts",
    find: "parsePacingState(now, Number.POSITIVE_INFINITY)?.nonce === state.nonce;",
    replace: "parsePacingState(now, Number.POSITIVE_INFINITY)?.nonce !== undefined;",
  },
  {
    name: "stale slot used",
    breaks: "A request that comes late for its slot is written all the same, too close to the next.",
    invariant: "I4",
    file: "lib/pacing/pacer.ts",
    find: "const isInTime = lateMs >= -TIMER_SLACK_MS && lateMs <= this.#options.intervalMs / 62;",
    replace: "const isInTime = lateMs >= -TIMER_SLACK_MS;",
  },
  {
    name: "refused download not counted",
    breaks: "After a throttling answer the next request follows at once.",
    invariant: "I4",
    file: "lib/pacing/pacer.ts",
    find: "nextAtMs: Math.min(farthestMs, Math.max(state.nextAtMs, nowMs) + penaltyMs),",
    replace: "nextAtMs: Math.min(farthestMs, nowMs),",
  },
  {
    name: "penalty pulls claimed slots back",
    breaks: "A throttling answer sets the pace from now on, over a slot that is already granted.",
    invariant: "I4",
    file: "lib/pacing/pacer.ts",
    find: "nextAtMs: Math.min(farthestMs, Math.max(state.nextAtMs, nowMs) + penaltyMs),",
    replace: "nextAtMs: Math.min(farthestMs, nowMs + penaltyMs),",
  },
  {
    name: "own claims forgotten",
    breaks: "A runner whose state was written over by another takes a slot too close to its own last one.",
    invariant: "I4",
    file: "lib/pacing/pacer.ts",
    find: "change({ nextAtMs: Math.max(this.#nextAtOf(found), this.#ownNextAtMs) })",
    replace: "change({ nextAtMs: this.#nextAtOf(found) })",
  },
  {
    name: "corrupt state starts at once",
    breaks: "A state that cannot be read lets a download start at once, whoever just began one.",
    invariant: "I4",
    file: "lib/pacing/pacer.ts",
    find: "return nowMs + intervalMs;",
    replace: "return nowMs;",
  },
  {
    name: "runner's clock instead of the store's",
    breaks: "Runners whose clocks differ keep different paces.",
    invariant: "I4",
    file: "lib/pacing/pacer.ts",
    find: "new Pacer(options, storeMs - options.clock.monotonicMs())",
    replace: "new Pacer(options, options.clock.wallMs() - options.clock.monotonicMs())",
  },
];
