/** What re-sending adds to a message (design §6.2). */
const PROGRESS_FIELDS: ReadonlySet<string> = new Set([
  "attempts",
  "requestedAt",
  "firstFailedAt",
  "absentSince",
  "notBefore",
  "needsFullRun",
  "alone",
  "rejectedSha256",
]);

/**
 * The body of a dead letter: the message without its progress, so that moving it back starts afresh. With the
 * old `requestedAt` it would count as settled by its own dead-letter record. A bare id and an unreadable body
 * stay as they are.
 */
export function letterBody(body: string): string {
  const fields = parseObject(body);
  if (fields === undefined) {
    return body;
  }
  const kept = Object.entries(fields).filter(([name]) => !PROGRESS_FIELDS.has(name));
  return kept.length === Object.keys(fields).length ? body : JSON.stringify(Object.fromEntries(kept));
}

function parseObject(body: string): object | undefined {
  try {
    const json: unknown = JSON.parse(body);
    return typeof json === "object" && json !== null && !Array.isArray(json) ? json : undefined;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) {
      return undefined;
    }
    throw thrown;
  }
}
