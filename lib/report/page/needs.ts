import { type Entry, needsOf, unknownInWords, watchOf } from "../digest.ts";
import type { Night } from "../night.ts";
import type { Texts } from "../texts.ts";
import type { Speech } from "../verdict-line.ts";
import { type Html, html } from "./html.ts";
import { type Mark, mark } from "./marks.ts";

/** What a person has to do, each with what to type; nothing where there is nothing. */
export function needsSection(night: Night, speech: Speech): Html | undefined {
  const needs = needsOf(night, speech);
  const { page } = speech.texts;
  if (needs.length === 0) {
    return undefined;
  }
  const items = needs.map((entry) => item(entry, speech.texts));
  return html`<section aria-labelledby="needs"><h2 id="needs">${page.needs(needs.length)}</h2><ol class="list">${items}</ol></section>`;
}

const SIGNS: Readonly<Record<Entry["sign"], { readonly mark: Mark; readonly tone: string }>> = {
  act: { mark: "cross", tone: "act" },
  none: { mark: "ring", tone: "none" },
  look: { mark: "triangle", tone: "look" },
  watch: { mark: "dot", tone: "unreported" },
};

/** What a person has to know, and what could not be seen. */
export function watchSection(night: Night, speech: Speech): Html | undefined {
  const { texts } = speech;
  const watch = watchOf(night, speech).map((entry) => item(entry, texts));
  const unknown = unknownInWords(night, texts).map(
    ({ what, code, message, hint }) =>
      html`<li class="unreported"><p class="what">${mark("dot", "unreported")}<span>${what}${texts.colon}<span lang="en">${message}</span> <code>${code}</code></span></p>
        <p lang="en">${hint}</p></li>`,
  );
  const all = [...unknown, ...watch];
  return all.length === 0
    ? undefined
    : html`<section aria-labelledby="watch"><h2 id="watch">${texts.page.watch(all.length)}</h2><ul class="list watch">${all}</ul></section>`;
}

function item({ said, deed, sign }: Entry, { page }: Texts): Html {
  const { mark: name, tone } = SIGNS[sign];
  return html`<li class="${tone}"><p class="what">${mark(name, tone)}<span>${said.what}</span></p>
    ${said.hint === undefined ? undefined : html`<p lang="en">${said.hint}</p>`}<p>${said.advice}</p>
    ${deed.commands.map((command) => html`<pre><code>${command}</code></pre>`)}
    <p class="more">${page.runbook} docs/runbook.md#${deed.section}</p></li>`;
}
