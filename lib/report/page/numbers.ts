/** A whole number with a comma between thousands, as both languages write it. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(?:\d{3})+$)/g, ",");
}
