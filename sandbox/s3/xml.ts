import { type Answer, bufferAnswer } from "../kit/answer.ts";

/** What an element holds: text, elements by name, or several of one name. Nothing for `undefined`. */
export type XmlContent =
  | string
  | number
  | boolean
  | undefined
  | readonly XmlContent[]
  | { readonly [name: string]: XmlContent };

const NAMESPACE = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

export const XML_TYPE = { "Content-Type": "application/xml" };

/** @param document one name, the root's, and what it holds. */
export function xmlAnswer(
  document: Readonly<Record<string, XmlContent>>,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return bufferAnswer(200, xmlDocument(document), { ...XML_TYPE, ...headers });
}

/** @param document one name, the root's, and what it holds. Errors have no namespace. */
export function xmlDocument(document: Readonly<Record<string, XmlContent>>, namespaced = true): Buffer {
  const [[root, content] = ["", undefined]] = Object.entries(document);
  const open = `<${root}${namespaced ? NAMESPACE : ""}>`;
  return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${open}${inner(content)}</${root}>`, "utf8");
}

function inner(content: XmlContent): string {
  if (content === undefined) {
    return "";
  }
  if (typeof content !== "object") {
    return escapeXml(String(content));
  }
  const entries = Object.entries(content as { readonly [name: string]: XmlContent });
  return entries.map(([name, value]) => element(name, value)).join("");
}

function element(name: string, value: XmlContent): string {
  if (value === undefined) {
    return "";
  }
  const repeated: readonly XmlContent[] = Array.isArray(value) ? value : [value];
  return repeated.map((one) => `<${name}>${inner(one)}</${name}>`).join("");
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\r": "&#13;",
};

export function escapeXml(text: string): string {
  return text.replace(/[&<>"\r]/g, (character) => ESCAPES[character] ?? character);
}

/**
 * The contents of every element of one name, in order. Enough for the few small documents S3 requests carry;
 * elements of one name must not be nested.
 */
export function elementsOf(xml: string, name: string): string[] {
  const pattern = new RegExp(`<${name}(?:\\s[^>]*)?>([^]*?)</${name}>`, "g");
  return [...xml.matchAll(pattern)].map((match) => match[1] ?? "");
}

/** The text of the first element of a name; `undefined` when there is none. */
export function textOf(xml: string, name: string): string | undefined {
  const [first] = elementsOf(xml, name);
  return first === undefined ? undefined : unescapeXml(first.trim());
}

const NAMED: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-fA-F]+)|(\w+));/g, (whole, decimal, hex, name) => {
    if (decimal !== undefined) {
      return String.fromCodePoint(Number(decimal));
    }
    return hex === undefined ? (NAMED[name] ?? whole) : String.fromCodePoint(Number.parseInt(hex, 16));
  });
}
