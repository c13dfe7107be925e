/** The order of two texts by code units: the locale of a machine has no say in what is signed, stored or shown. */
export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
