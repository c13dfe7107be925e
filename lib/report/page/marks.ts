import type { ExportStanding, Verdict } from "../night.ts";
import { type Html, html } from "./html.ts";

/** Signs that differ by their shape: the colour only repeats what they say. */
export type Mark = "cross" | "triangle" | "check" | "ring" | "dot" | "dash" | "clock" | "pause" | "again";

const SHAPES: Readonly<Record<Mark, Html>> = {
  cross: html`<path d="M3 1 8 6l5-5 2 2-5 5 5 5-2 2-5-5-5 5-2-2 5-5-5-5z"/>`,
  triangle: html`<path fill-rule="evenodd" d="M8 1 15.5 15H.5zM7 6v4.5h2V6zm0 5.5v2h2v-2z"/>`,
  check: html`<path d="M13.5 2 16 4.5 6 14.5.5 9 3 6.5l3 3z"/>`,
  ring: html`<path fill-rule="evenodd" d="M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1zm0 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9z"/>`,
  dash: html`<path d="M2 6.500h12v3H2z"/>`,
  dot: html`<circle cx="8" cy="8" r="2.5"/>`,
  clock: html`<path fill-rule="evenodd" d="M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1zm0 2a5 5 0 1 0 0 10A5 5 0 0 0 8 3zm-1 1.500h2V7.600l2.500 2.500-1.400 1.400L7 8.400z"/>`,
  pause: html`<path d="M3 2h3.500v12H3zM9.500 2H13v12H9.500z"/>`,
  again: html`<path d="M8 2V0l5 3.500L8 7V4.500A4 4 0 1 0 12 8.500h2.500A6.500 6.500 0 1 1 8 2z"/>`,
};

const NAMES = Object.keys(SHAPES) as readonly Mark[];

/** The marks, once for the whole page. */
export const MARKS: Html = html`<svg width="0" height="0" class="sprite" aria-hidden="true" focusable="false">${NAMES.map(
  (name) => html`<symbol id="m-${name}" viewBox="0 0 16 16">${SHAPES[name]}</symbol>`,
)}</svg>`;

/** A mark beside a word that says the same. */
export function mark(name: Mark, tone: string): Html {
  return html`<svg class="m ${tone}" aria-hidden="true" focusable="false" viewBox="0 0 16 16"><use href="#m-${name}"/></svg>`;
}

/** How a verdict is shown: its tone is the name of a class. */
export const VERDICT_MARKS: Readonly<Record<Verdict | "unreported", Mark>> = {
  act: "cross",
  none: "ring",
  look: "triangle",
  ok: "check",
  unreported: "dash",
};

export const STANDING_MARKS: Readonly<
  Record<ExportStanding, { readonly mark: Mark; readonly tone: string }>
> = {
  "given-up": { mark: "cross", tone: "act" },
  waiting: { mark: "clock", tone: "look" },
  retried: { mark: "again", tone: "look" },
  "archived-kept": { mark: "pause", tone: "ok" },
  "archived-deleted": { mark: "check", tone: "ok" },
  deleted: { mark: "check", tone: "ok" },
};
