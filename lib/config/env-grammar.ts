/** A name and what stands behind its `=`. Only spaces and tabs count as space: an editor shows others like them. */
const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?(?<name>[A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*(?<rest>.*)$/;
const NOTHING = /^[ \t]*(?:#.*)?$/;
/** What some editors show as the end of a line, and others do not: what stands behind it looks like a line. */
const ODD_BREAK = /[\r\v\f\u0085\u2028\u2029]/;
const INVISIBLE = /[^\S \t]|\p{Cc}|\p{Cf}/u;
const QUOTES = ["'", '"', "`"] as const;

/** What one line of a file of settings is. */
export type EnvLine =
  | { readonly kind: "nothing" }
  | { readonly kind: "assignment"; readonly name: string; readonly rest: string }
  /** `character` is the first one that nobody sees, as U+00A0. */
  | { readonly kind: "unreadable"; readonly character?: string };

/** The lines of a file: they end with LF or with CR LF. */
export function linesOf(text: string): readonly string[] {
  return text.split("\n").map((line) => line.replace(/\r$/, ""));
}

/** Reads one line; what its value is may depend on the lines below it. */
export function readLine(line: string): EnvLine {
  if (!ODD_BREAK.test(line)) {
    const { name, rest } = ASSIGNMENT.exec(line)?.groups ?? {};
    if (name !== undefined && rest !== undefined) {
      return { kind: "assignment", name, rest };
    }
    if (NOTHING.test(line)) {
      return { kind: "nothing" };
    }
  }
  const code = INVISIBLE.exec(line)?.[0].codePointAt(0);
  return code === undefined
    ? { kind: "unreadable" }
    : { kind: "unreadable", character: `U+${code.toString(16).toUpperCase().padStart(4, "0")}` };
}

/** A value, and the index of the line on which it ends; or what is wrong with it. */
export type EnvValue =
  | { readonly kind: "value"; readonly text: string; readonly end: number }
  /** Its quotes do not match: other lines might belong to it, or something stands behind it. */
  | { readonly kind: "open-quote" }
  /** A # without space before it: some readers begin a comment there, others do not. */
  | { readonly kind: "hash" };

/**
 * Reads a value as Node's `--env-file` does: as it stands there, up to a comment; or within quotes, over several lines
 * too, where double quotes make a new line of `\n`. An empty value ends with its line: Node would look for it below.
 *
 * @param rest what stands behind the `=`.
 * @param begin the index of its line.
 */
export function readValue(rest: string, lines: readonly string[], begin: number): EnvValue {
  const quote = QUOTES.find((mark) => rest.startsWith(mark));
  if (quote === undefined) {
    const [whole = ""] = rest.split("#", 1);
    return whole === rest || whole === "" || /[ \t]$/.test(whole)
      ? { kind: "value", text: whole.replace(/[ \t]+$/, ""), end: begin }
      : { kind: "hash" };
  }
  const inside: string[] = [];
  let open = rest.slice(1);
  for (let index = begin; index < lines.length; index += 1) {
    const close = open.indexOf(quote);
    if (close >= 0) {
      inside.push(open.slice(0, close));
      const text = inside.join("\n");
      return NOTHING.test(open.slice(close + 1))
        ? { kind: "value", text: quote === '"' ? text.replaceAll("\\n", "\n") : text, end: index }
        : { kind: "open-quote" };
    }
    inside.push(open);
    open = lines[index + 1] ?? "";
  }
  return { kind: "open-quote" };
}
