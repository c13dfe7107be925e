/** Fields that hosts give HTTP requests only, in lower case. */
const HTTP_FIELDS: ReadonlySet<string> = new Set([
  "headers",
  "multivalueheaders",
  "cookies",
  "requestcontext",
  "httpmethod",
  "routekey",
  "rawpath",
  "rawquerystring",
  "querystringparameters",
  "multivaluequerystringparameters",
  "pathparameters",
  "isbase64encoded",
]);

/** Whether an event has a field that only HTTP requests have, whatever stands there. */
export function hasHttpField(event: unknown): boolean {
  return (
    typeof event === "object" &&
    event !== null &&
    Object.keys(event).some((name) => HTTP_FIELDS.has(name.toLowerCase()))
  );
}
