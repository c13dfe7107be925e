// Runs in a fresh process: imports one bundle, calls its handler when there is an event, and writes down what it cost.
import { writeFileSync } from "node:fs";

const [, , bundle, answerFile, events = "[]"] = process.argv;
const TIME_MS = 15 * 60_000;

const beforeMs = performance.now();
const { handler } = await import(bundle);
const importMs = performance.now() - beforeMs;
const importedBytes = process.memoryUsage.rss();

const calls = [];
for (const event of JSON.parse(events)) {
  const startMs = performance.now();
  const endsAtMs = startMs + TIME_MS;
  const report = await handler(event, { getRemainingTimeInMillis: () => endsAtMs - performance.now() });
  calls.push({ tookMs: performance.now() - startMs, residentBytes: process.memoryUsage.rss(), report });
}
const peakBytes = process.resourceUsage().maxRSS * 1024;
writeFileSync(answerFile, JSON.stringify({ importMs, importedBytes, peakBytes, calls }));
