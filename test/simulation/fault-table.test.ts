import { expect, test } from "vitest";
import type { StoreErrorCode } from "../../lib/ports/object-store.ts";
import type { PlatformErrorCode } from "../../lib/ports/platform.ts";
import type { QueueErrorCode } from "../../lib/ports/task-queue.ts";
import type { Site } from "../world/faults.ts";
import { DISTINCT_FAULTS, FAULT_TABLE } from "./fault-table.ts";

/** Written as records so that a code or site added to a port does not compile before it is listed here. */
const PLATFORM_CODES: Readonly<Record<PlatformErrorCode, true>> = {
  "platform-throttled": true,
  "platform-task-not-found": true,
  "platform-unauthenticated": true,
  "platform-forbidden": true,
  "platform-misconfigured": true,
  "platform-rejected-request": true,
  "platform-unavailable": true,
  "platform-unreachable": true,
  "platform-disguised-error": true,
  "platform-malformed-answer": true,
};
const STORE_CODES: Readonly<Record<StoreErrorCode, true>> = {
  "store-missing": true,
  "store-forbidden": true,
  "store-unauthenticated": true,
  "store-full": true,
  "store-misconfigured": true,
  "store-unavailable": true,
  "store-upload-gone": true,
  "store-key-taken": true,
  "store-proof-mismatch": true,
  "store-copy-differs": true,
  "store-object-cold": true,
  "store-too-large": true,
  "store-foreign-answer": true,
};
const QUEUE_CODES: Readonly<Record<QueueErrorCode, true>> = {
  "queue-handle-expired": true,
  "queue-forbidden": true,
  "queue-full": true,
  "queue-unavailable": true,
  "queue-misconfigured": true,
};
const SITES: Readonly<Record<Exclude<Site, "notifier.send">, true>> = {
  "platform.listExportTasks": true,
  "platform.showExportTask": true,
  "platform.body": true,
  "platform.deleteExportTask": true,
  "platform.createExportTask": true,
  "store.preflight": true,
  "store.readClockMs": true,
  "store.openUpload": true,
  "store.write": true,
  "store.complete": true,
  "store.abort": true,
  "store.head": true,
  "store.confirmStored": true,
  "store.read": true,
  "store.list": true,
  "store.abortUploadsUnder": true,
  "store.getDocument": true,
  "store.putDocument": true,
  "store.removeObject": true,
  "queue.receive": true,
  "queue.renew": true,
  "queue.send": true,
  "queue.acknowledge": true,
  "queue.deadLetter": true,
  "queue.depth": true,
  "queue.listDeadLetters": true,
  "queue.redrive": true,
  "memory.recall": true,
  "memory.remember": true,
};

function codesOf(port: string): readonly string[] {
  const codes = FAULT_TABLE.filter(({ site }) => site.startsWith(`${port}.`)).flatMap(({ fault, site }) => {
    const made = fault();
    // The world itself answers a web page with the error of the call.
    const isWebPage = site === "platform.body" && made.form === "body" && made.damage.kind === "html";
    return isWebPage
      ? ["platform-disguised-error"]
      : "error" in made
        ? [String(Reflect.get(made.error, "code"))]
        : [];
  });
  return [...new Set(codes)].filter((code) => code !== "undefined").sort();
}

test("every site of the ports has faults", () => {
  expect([...new Set(FAULT_TABLE.map(({ site }) => site))].sort()).toEqual(Object.keys(SITES).sort());
});

test("every error of the ports is among them", () => {
  expect(codesOf("platform")).toEqual(Object.keys(PLATFORM_CODES).sort());
  expect(codesOf("store")).toEqual(Object.keys(STORE_CODES).sort());
  expect(codesOf("queue")).toEqual(Object.keys(QUEUE_CODES).sort());
});

test("names are told apart, and each behaviour is kept once", () => {
  expect(new Set(FAULT_TABLE.map(({ name }) => name)).size).toBe(FAULT_TABLE.length);
  expect(new Set(DISTINCT_FAULTS.map(({ behaviour }) => behaviour)).size).toBe(DISTINCT_FAULTS.length);
  process.stdout.write(`fault table: ${FAULT_TABLE.length} rows, ${DISTINCT_FAULTS.length} behaviours\n`);
});
