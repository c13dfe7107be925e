import * as v from "valibot";
import { nightNotesFolder } from "../domain/key-layout.ts";
import type { Message } from "../ports/notifier.ts";
import type { CallOptions } from "../ports/platform.ts";
import { createOnce, jsonText } from "../records/create-once.ts";
import { isoTime, parseRecord, SCHEMA_VERSION } from "../records/schemas.ts";
import { type Digest, type Night, VERDICTS, type Verdict } from "./night.ts";
import { isYoung, MAX_CLAIMS, type NotifyPorts, type NotifySettings } from "./notification-state.ts";
import { type Sent, sendToAll } from "./tell.ts";

export interface NightTelling extends NotifySettings {
  readonly notifyOn: "every-night" | "problems";
}

/**
 * What came of telling a night. `told`: this run told it. `told-before`: another one has. `being-told`: another one is
 * about to. `given-up`: two runners died over it, or no target took it twice. `not-wanted`: a good night, or no target.
 */
export interface ToldNight extends Sent {
  readonly outcome: "told" | "told-before" | "being-told" | "given-up" | "not-wanted";
}

const claimSchema = v.object({ claimedAt: isoTime, nonce: v.string() });
const sentSchema = v.object({ verdict: v.picklist(VERDICTS) });

/**
 * Tells a night once: its verdict is the subject. However many runners there are and wherever they die, each target gets
 * the message at most twice, and at least once when any run comes 15 minutes after a dead one. On a store without
 * create-once each of two runners that begin within a moment may send it as its own.
 *
 * A report that somebody makes by hand before the night is over may tell of a good one. Where a later one has a worse
 * verdict, the second message tells it.
 *
 * @throws what the store throws. Targets that were not told are in the result.
 */
export async function tellNight(
  ports: NotifyPorts,
  settings: NightTelling,
  night: Pick<Night, "date" | "verdict">,
  digest: Digest,
  options: CallOptions,
): Promise<ToldNight> {
  const nothing = (outcome: ToldNight["outcome"]) => ({ outcome, took: [], untold: [] });
  const isWanted = settings.notifyOn === "every-night" || night.verdict !== "ok";
  if (!isWanted || ports.notifier.targets.length === 0) {
    return nothing("not-wanted");
  }
  const folder = nightNotesFolder(settings.scope, night.date);
  const claim = await claimNight(ports, settings, { folder, verdict: night.verdict }, options);
  if (typeof claim === "string") {
    return nothing(claim);
  }
  const message: Message = { kind: "night", ...digest };
  const sent = await sendToAll(ports, settings, message, options);
  if (sent.took.length > 0) {
    const sentAt = new Date(ports.clock.wallMs()).toISOString();
    const mark = { schemaVersion: SCHEMA_VERSION, sentAt, targets: sent.took, verdict: night.verdict };
    await ports.store.putDocument(sentKey(folder, claim), jsonText(mark), { kind: "always" }, options);
  }
  return { outcome: "told", ...sent };
}

function claimKey(folder: string, number: number): string {
  return `${folder}claim-${number}.json`;
}

function sentKey(folder: string, number: number): string {
  return `${folder}sent-${number}.json`;
}

/** The number of the claim that this run has now, or why it has none. */
async function claimNight(
  { store, clock, random }: NotifyPorts,
  { abilities }: NotifySettings,
  { folder, verdict }: { readonly folder: string; readonly verdict: Verdict },
  options: CallOptions,
): Promise<number | "told-before" | "being-told" | "given-up"> {
  const nonce = random.hex(8);
  for (let number = 1; number <= MAX_CLAIMS; number += 1) {
    const key = claimKey(folder, number);
    const claim = { schemaVersion: SCHEMA_VERSION, claimedAt: new Date(clock.wallMs()).toISOString(), nonce };
    if (await createOnce(store, abilities, key, claim, options)) {
      return number;
    }
    const found = parseRecord(claimSchema, await store.getDocument(key, options));
    if (found?.nonce === nonce) {
      // The store repeated a create that had worked.
      return number;
    }
    const sent = await store.getDocument(sentKey(folder, number), options);
    if (sent !== undefined) {
      const told = parseRecord(sentSchema, sent)?.verdict;
      if (told === undefined || !isWorse(verdict, told) || number === MAX_CLAIMS) {
        return "told-before";
      }
    } else if (found !== undefined && isYoung(found.claimedAt, clock.wallMs())) {
      return "being-told";
    }
  }
  return "given-up";
}

function isWorse(verdict: Verdict, than: Verdict): boolean {
  return VERDICTS.indexOf(verdict) < VERDICTS.indexOf(than);
}
