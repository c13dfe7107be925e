import type { CallOptions } from "../ports/platform.ts";
import { isLossNear } from "./loss.ts";
import type { Digest, Finding, FindingKind } from "./night.ts";
import {
  changeState,
  isYoung,
  MAX_CLAIMS,
  type NotificationState,
  type NotifyPorts,
  type NotifySettings,
  type Told,
} from "./notification-state.ts";
import { type Sent, sendToAll } from "./tell.ts";

const FAILED_RUNS = 2;
/** One message has no more; the others are told when these are over. */
const MAX_URGENT = 500;

/** What cannot wait for the next night's message. */
export type UrgentKind = Extract<FindingKind, "loss-near" | "lost" | "damaged" | "system-failing">;
export type UrgentFinding = Extract<Finding, { readonly kind: UrgentKind }>;

/** The findings that are told at once. */
export function urgentOf(findings: readonly Finding[], nowMs: number): readonly UrgentFinding[] {
  return findings.filter((finding): finding is UrgentFinding => {
    switch (finding.kind) {
      case "loss-near":
        return isLossNear(finding, nowMs);
      case "lost":
      case "damaged":
        return true;
      case "system-failing":
        return finding.runs >= FAILED_RUNS;
      default:
        return false;
    }
  });
}

/** What makes a finding the same one as before. Begins with its kind. */
function fingerprintOf(finding: UrgentFinding): string {
  switch (finding.kind) {
    case "loss-near":
    case "lost":
      return `${finding.kind}:${finding.exportTaskId}`;
    case "damaged":
      return `damaged:${finding.exportTaskId}:${finding.revision}:${finding.damage}`;
    case "system-failing":
      return `system-failing:${finding.failure.code}`;
  }
}

/** What a run saw. */
export interface UrgentNews {
  readonly findings: readonly Finding[];
  /** The kinds that this run could judge: of these, what it did not find is over, and is told again when it comes back. */
  readonly judged: ReadonlySet<UrgentKind>;
  /** The message about those that are new. */
  readonly digestOf: (fresh: readonly UrgentFinding[]) => Digest;
}

/** What came of it; `fresh` has what was told now. */
export interface ToldUrgent extends Sent {
  readonly fresh: readonly UrgentFinding[];
}

/**
 * Tells what cannot wait, each finding once until it is over. A message over which a runner died, or that no target took,
 * goes out once more, 15 minutes later.
 *
 * @throws what the store throws. Targets that were not told are in the result.
 */
export async function tellUrgent(
  ports: NotifyPorts,
  settings: NotifySettings,
  { findings, judged, digestOf }: UrgentNews,
  options: CallOptions,
): Promise<ToldUrgent> {
  const nothing = { fresh: [], took: [], untold: [] };
  if (ports.notifier.targets.length === 0) {
    return nothing;
  }
  const nowMs = ports.clock.wallMs();
  const urgent = new Map(
    urgentOf(findings, nowMs)
      .slice(0, MAX_URGENT)
      .map((finding) => [fingerprintOf(finding), finding]),
  );
  const nonce = ports.random.hex(8);
  let claimed: readonly string[] = [];
  const claim = (state: NotificationState) => {
    const kept = Object.entries(state.told).filter(
      ([print]) => urgent.has(print) || !isJudged(print, judged),
    );
    const told: Record<string, Told> = Object.fromEntries(kept);
    const isMine = (print: string) => told[print]?.nonce === nonce;
    const free = [...urgent.keys()].filter((print) => isMine(print) || isFree(told[print], nowMs));
    claimed = free;
    const claims = free
      .filter((print) => !isMine(print))
      .map((print) => [print, claimOf(told[print], nowMs, nonce)]);
    const isSame = claims.length === 0 && kept.length === Object.keys(state.told).length;
    return isSame ? undefined : { ...state, told: { ...told, ...Object.fromEntries(claims) } };
  };
  await changeState(ports, settings, claim, options);
  const fresh = claimed.flatMap((print) => urgent.get(print) ?? []);
  if (fresh.length === 0) {
    return nothing;
  }
  const noted = (state: NotificationState, { took }: Sent) =>
    took.length === 0 ? state : { ...state, told: withSent(state.told, nonce, ports.clock.wallMs()) };
  const sent = await sendToAll(ports, settings, { kind: "urgent", ...digestOf(fresh) }, options, noted);
  return { fresh, ...sent };
}

function isJudged(fingerprint: string, judged: ReadonlySet<UrgentKind>): boolean {
  return [...judged].some((kind) => fingerprint.startsWith(`${kind}:`));
}

function isFree(told: Told | undefined, nowMs: number): boolean {
  return (
    told === undefined ||
    (told.sentAt === undefined && told.claims < MAX_CLAIMS && !isYoung(told.claimedAt, nowMs))
  );
}

function claimOf(told: Told | undefined, nowMs: number, nonce: string): Told {
  return { claimedAt: new Date(nowMs).toISOString(), nonce, claims: (told?.claims ?? 0) + 1 };
}

function withSent(told: NotificationState["told"], nonce: string, nowMs: number): NotificationState["told"] {
  const sentAt = new Date(nowMs).toISOString();
  return Object.fromEntries(
    Object.entries(told).map(([print, entry]) => [
      print,
      entry.nonce === nonce ? { ...entry, sentAt } : entry,
    ]),
  );
}
