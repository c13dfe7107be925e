/**
 * Whether a glob, `*` for any characters and `?` for one, matches the whole text. Goes back to the last `*` only, so
 * it takes at most glob × text steps; as a regular expression, some short globs take hours.
 */
export function matchesGlob(glob: string, text: string): boolean {
  let globAt = 0;
  let textAt = 0;
  let lastStarAt = -1;
  let starEndsAt = 0;
  while (textAt < text.length) {
    const sign = glob[globAt];
    if (sign === "*") {
      lastStarAt = globAt;
      starEndsAt = textAt;
      globAt += 1;
    } else if (sign === "?" || sign === text[textAt]) {
      globAt += 1;
      textAt += 1;
    } else if (lastStarAt >= 0) {
      // The last star takes one character more.
      starEndsAt += 1;
      globAt = lastStarAt + 1;
      textAt = starEndsAt;
    } else {
      return false;
    }
  }
  return /^\**$/.test(glob.slice(globAt));
}
