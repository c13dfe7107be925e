const MARKUP = Symbol("markup");

/** Markup of our own. A text from outside never has the symbol, so it can never pass for one. */
export interface Html {
  readonly [MARKUP]: string;
}

/** What may stand in markup. Texts and numbers are escaped; nothing is written for what is missing. */
export type Shown = string | number | Html | readonly Html[] | undefined;

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Markup with values in it. Each value is escaped for text and for attributes in double quotes, unless it is markup
 * itself. It must not stand anywhere else: not as a name, not without quotes, and in no style or script.
 */
export function html(parts: TemplateStringsArray, ...values: readonly Shown[]): Html {
  const written = parts.map((part, index) => {
    // A line end of the source and what it is indented by mean nothing in markup.
    const own = part.replace(/\s*\n\s*/g, "");
    return index < values.length ? own + shown(values[index]) : own;
  });
  return { [MARKUP]: written.join("") };
}

/** Markup that is trusted as it is: styles and scripts of our own, which know no escapes. */
export function trusted(markup: string): Html {
  return { [MARKUP]: markup };
}

/** The text of the markup. */
export function textOf(markup: Html): string {
  return markup[MARKUP];
}

function shown(value: Shown): string {
  if (value === undefined) {
    return "";
  }
  if (typeof value === "object") {
    return MARKUP in value ? value[MARKUP] : value.map(textOf).join("");
  }
  return String(value).replace(/[&<>"']/g, (character) => ESCAPES[character] ?? "");
}
