/**
 * The values of one field of a cron expression, in order, each once; `undefined` when EventBridge Scheduler would not
 * take the field, or take it for something else. Numbers, ranges (`0-5`), lists, steps (`0/15`, `0-20/5`) and `*`.
 *
 * @param most the largest value, such as 23 for hours.
 */
export function cronValues(field: string, most: number): readonly number[] | undefined {
  const values = new Set<number>();
  for (const part of field.split(",")) {
    const match = /^(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:\/(\d{1,2}))?$/.exec(part);
    if (match === null) {
      return undefined;
    }
    const [, from, to, step] = match;
    const first = Number(from ?? 0);
    const last = Number(to ?? (from === undefined || step !== undefined ? most : from));
    const apart = Number(step ?? 1);
    if (first > last || last > most || apart < 1) {
      return undefined;
    }
    for (let value = first; value <= last; value += apart) {
      values.add(value);
    }
  }
  return [...values].sort((one, other) => one - other);
}

/** The minutes and the hours of `5 2` or `0/30 0-6`; `undefined` when they are none. */
export function minutesAndHours(
  text: string,
): { readonly minutes: readonly number[]; readonly hours: readonly number[] } | undefined {
  const [minute = "", hour = "", ...more] = text.split(" ");
  const minutes = cronValues(minute, 59);
  const hours = cronValues(hour, 23);
  return minutes === undefined || hours === undefined || more.length > 0 ? undefined : { minutes, hours };
}
