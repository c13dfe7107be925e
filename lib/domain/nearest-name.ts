/** Letters that may be wrong before a suggestion does not help any more. */
const MAX_DISTANCE = 4;

/** In a short name fewer may be: "foo" is not "add". */
const MAX_PART = 0.5;

/** The known name with the fewest letters different from `name`, if one is near enough to be meant. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  let nearest: { readonly name: string; readonly distance: number } | undefined;
  for (const candidate of known) {
    // The lengths alone differ by more: no need to compare, however long a hostile name is.
    if (Math.abs(candidate.length - name.length) > MAX_DISTANCE) {
      continue;
    }
    const distance = editDistance(name, candidate);
    const isNear = distance <= MAX_DISTANCE && distance <= MAX_PART * Math.max(name.length, candidate.length);
    if (isNear && distance < (nearest?.distance ?? Number.POSITIVE_INFINITY)) {
      nearest = { name: candidate, distance };
    }
  }
  return nearest?.name;
}

/** Levenshtein's distance: letters to insert, remove or replace. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[to.length] ?? 0;
}
