import { DISCOVERED_STATE_KEY, STORE_STATE_KEY } from "../../lib/domain/key-layout.ts";
import type { SqsOperation } from "../../lib/queue/sqs-errors.ts";
import type { BodyDamage, Fault, Site } from "../world/faults.ts";
import {
  type FaultKind,
  PLATFORM_KINDS,
  PLATFORM_TASK_KINDS,
  queueKinds,
  STORE_COMPLETE_KINDS,
  STORE_KINDS,
  STORE_OBJECT_KINDS,
  STORE_READ_KINDS,
  STORE_UPLOAD_KINDS,
} from "./fault-kinds.ts";

/** One fault that a call to the outside can suffer: site × kind × form. */
export interface FaultRow {
  /** `site/kind/form`: what a story names it by. */
  readonly name: string;
  readonly site: Site;
  readonly kind: string;
  readonly form: "not done" | "done, answer lost" | "spoiled" | "body";
  readonly fault: () => Fault;
  /** Rows with one behaviour look the same to policy: the tables of the adapters give them one error. */
  readonly behaviour: string;
}

interface SiteFaults {
  readonly kinds: readonly FaultKind[];
  /** Whether the call changes something outside, so that a lost answer differs from a call not done. */
  readonly changes: boolean;
}

const read = (kinds: readonly FaultKind[]): SiteFaults => ({ kinds, changes: false });
const change = (kinds: readonly FaultKind[]): SiteFaults => ({ kinds, changes: true });
const queueChange = (operation: SqsOperation) => change(queueKinds(operation));
const queueRead = (operation: SqsOperation) => read(queueKinds(operation));

/** Every site of an archive run but the body, whose damages are a list of their own. */
const FAULTS_OF_SITE: Readonly<Record<Exclude<Site, "platform.body" | "notifier.send">, SiteFaults>> = {
  "platform.listExportTasks": read(PLATFORM_KINDS),
  // A download that is refused or lost has used its slot.
  "platform.showExportTask": change(PLATFORM_TASK_KINDS),
  "platform.deleteExportTask": change(PLATFORM_TASK_KINDS),
  "platform.createExportTask": change(PLATFORM_KINDS),
  "store.preflight": read(STORE_KINDS),
  "store.readClockMs": read(STORE_KINDS),
  "store.openUpload": change(STORE_UPLOAD_KINDS),
  "store.write": change(STORE_UPLOAD_KINDS),
  "store.complete": change(STORE_COMPLETE_KINDS),
  "store.abort": change(STORE_KINDS),
  "store.head": read(STORE_KINDS),
  "store.confirmStored": read(STORE_OBJECT_KINDS),
  "store.read": read(STORE_READ_KINDS),
  "store.list": read(STORE_KINDS),
  "store.abortUploadsUnder": change(STORE_KINDS),
  "store.getDocument": read(STORE_KINDS),
  "store.putDocument": change(STORE_KINDS),
  // Of messages, where the queue lies in the store.
  "store.removeObject": change(STORE_KINDS),
  "queue.receive": queueChange("receive"),
  "queue.renew": queueChange("renew"),
  "queue.send": queueChange("send"),
  "queue.acknowledge": queueChange("delete"),
  "queue.deadLetter": queueChange("send"),
  "queue.depth": queueRead("look"),
  "queue.listDeadLetters": queueRead("receive"),
  "queue.redrive": queueChange("send"),
  // It lies in the queue's database.
  "memory.recall": queueRead("look"),
  "memory.remember": queueChange("send"),
};

const NO_ZIP = new TextEncoder().encode("This is a text and no archive. ".repeat(40));

/** What a download's body can suffer. The world's files measure about 2,700 bytes. */
const BODY_DAMAGES: Readonly<Record<string, BodyDamage>> = {
  reset: { kind: "reset", afterBytes: 1_500 },
  "reset at once": { kind: "reset", afterBytes: 0 },
  stall: { kind: "stall", afterBytes: 1_500 },
  "short, whole length declared": { kind: "short", keepBytes: 1_500, declared: "whole" },
  "short, sent length declared": { kind: "short", keepBytes: 1_500, declared: "sent" },
  "short, no length": { kind: "short", keepBytes: 1_500, declared: "none" },
  "short by one byte, no length": { kind: "short", keepBytes: -1, declared: "none" },
  "no byte": { kind: "short", keepBytes: 0, declared: "sent" },
  "extra bytes": { kind: "extra", extraBytes: 10, declared: "whole" },
  "extra bytes declared": { kind: "extra", extraBytes: 10, declared: "sent" },
  "extra bytes, no length": { kind: "extra", extraBytes: 10, declared: "none" },
  "flipped byte": { kind: "flip", atByte: 900 },
  "flipped byte in the header": { kind: "flip", atByte: 2 },
  "no length": { kind: "no-length" },
  "malformed answer": { kind: "replace", bytes: NO_ZIP },
  "disguised error": { kind: "html" },
  "slow drip": { kind: "drip", extraMsPerChunk: 20_000 },
};

/**
 * Only what can be lost without harm is spoiled: losing a record of what is deleted already, a dead letter, or the pace
 * that others keep breaks a promise on its own.
 */
function isSpared(documentKey: string): boolean {
  const isHarmless = ["holds/", "runs/", DISCOVERED_STATE_KEY, STORE_STATE_KEY].some((start) =>
    documentKey.startsWith(start),
  );
  return !isHarmless;
}

/** The one table of faults. The random stories, the singles and the pairs all draw from it. */
export const FAULT_TABLE: readonly FaultRow[] = [
  ...Object.entries(FAULTS_OF_SITE).flatMap(([site, faults]) => rowsOfSite(site as Site, faults)),
  ...Object.entries(BODY_DAMAGES).map(([kind, damage]) => bodyRow(kind, damage)),
  {
    name: "store.putDocument/409 conflict/done, answer lost",
    site: "store.putDocument",
    kind: "409 conflict",
    form: "done, answer lost",
    fault: () => ({ form: "done-says-conflict" }),
    behaviour: "store.putDocument says conflict",
  },
  {
    name: "store.getDocument/no text/spoiled",
    site: "store.getDocument",
    kind: "no text",
    form: "spoiled",
    fault: () => ({ form: "spoiled", spares: isSpared }),
    behaviour: "store.getDocument spoiled",
  },
];

const ROW_BY_NAME: ReadonlyMap<string, FaultRow> = new Map(FAULT_TABLE.map((row) => [row.name, row]));

/** The row of a name. @throws RangeError when the table has none. */
export function faultRow(name: string): FaultRow {
  const row = ROW_BY_NAME.get(name);
  if (row === undefined) {
    throw new RangeError(`the fault table has no row ${JSON.stringify(name)}`);
  }
  return row;
}

/** One row of each behaviour: the faults that differ for the policy. */
export const DISTINCT_FAULTS: readonly FaultRow[] = [
  ...new Map([...FAULT_TABLE].reverse().map((row) => [row.behaviour, row])).values(),
].reverse();

function rowsOfSite(site: Site, { kinds, changes }: SiteFaults): readonly FaultRow[] {
  return kinds.flatMap(({ kind, mayBeDone, outcome }) => {
    const notDone = rowOf(site, kind, "not done", outcome);
    return changes && mayBeDone ? [notDone, rowOf(site, kind, "done, answer lost", outcome)] : [notDone];
  });
}

function rowOf(
  site: Site,
  kind: string,
  form: "not done" | "done, answer lost",
  outcome: FaultKind["outcome"],
): FaultRow {
  const fault = (): Fault => {
    const made = outcome();
    if (!(made instanceof Error)) {
      return "stalls" in made ? { form: "stall" } : { form: "slow", extraMs: made.lateByMs };
    }
    return { form: form === "not done" ? "not-done" : "done-answer-lost", error: made };
  };
  return { name: `${site}/${kind}/${form}`, site, kind, form, fault, behaviour: behaviourOf(site, fault()) };
}

function behaviourOf(site: Site, fault: Fault): string {
  if (fault.form !== "not-done" && fault.form !== "done-answer-lost") {
    return `${site} ${fault.form}`;
  }
  const { error } = fault;
  const facts = ["code", "scope", "retry", "throttle"].map((name) =>
    JSON.stringify(Reflect.get(error, name)),
  );
  return `${site} ${fault.form} ${facts.join(" ")}`;
}

function bodyRow(kind: string, damage: BodyDamage): FaultRow {
  return {
    name: `platform.body/${kind}/body`,
    site: "platform.body",
    kind,
    form: "body",
    fault: () => ({ form: "body", damage }),
    behaviour: `platform.body ${kind}`,
  };
}
