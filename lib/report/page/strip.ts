import { WARNING_PLACES } from "../../run/next-to-go.ts";
import { datePartsOf } from "../moments.ts";
import type { Night, PastNight, Verdict } from "../night.ts";
import type { Texts } from "../texts.ts";
import { type Html, html } from "./html.ts";
import { mark, VERDICT_MARKS } from "./marks.ts";

/** Where the page lies: `reports/latest.html`, `reports/yyyy/MM/dd.html`, or away from the others, to which it has no links then. */
export type PageFile = "latest" | "day" | "alone";

/** Of the folder of the reports, as the page reaches it. */
const TO_FOLDER: Readonly<Record<PageFile, string | undefined>> = {
  latest: "",
  day: "../../",
  alone: undefined,
};

const HEIGHT = 80;
/** Of the bars; the mark stands above them. */
const BARS = 54;
const LEGEND: readonly (Verdict | "unreported")[] = ["ok", "look", "none", "act", "unreported"];

/** The last nights, oldest first: the verdict as a mark, the used slots as a bar, and a link to the page of each. */
export function strip({ nights, date, places }: Night, texts: Texts, pageFile: PageFile): Html {
  const { strip: words } = texts.page;
  const { limit } = places;
  const legend = LEGEND.map(
    (verdict) => html`<li>${mark(VERDICT_MARKS[verdict], verdict)} ${texts.verdict.words[verdict]}</li>`,
  );
  return html`<section aria-labelledby="nights"><h2 id="nights">${words.title(nights.length)}</h2>
    <div class="card"><ol class="nights">${nights.map((night, index) =>
      oneNight(night, { texts, limit, pageFile, isThis: night.date === date, isFirst: index === 0 }),
    )}</ol>
    <ul class="legend" aria-label="${words.legend}">${legend}
      <li><svg class="m ok" aria-hidden="true" viewBox="0 0 20 16"><use href="#m-check" width="14" height="14" y="2"/>${RETRIED}</svg> ${words.retried}</li><li>${words.bar(limit, WARNING_PLACES)}</li></ul></div></section>`;
}

/** Beside the mark of a night. */
const RETRIED = html`<circle cx="20" cy="4" r="2.500"/>`;

interface Shown {
  readonly texts: Texts;
  readonly limit: number;
  readonly pageFile: PageFile;
  readonly isThis: boolean;
  readonly isFirst: boolean;
}

function oneNight(night: PastNight, { texts, limit, pageFile, isThis, isFirst }: Shown): Html {
  const parts = datePartsOf(night.date);
  const { held, archived, givenUp, made, hasRetries = false } = night;
  const { year: _year, ...day } = parts ?? { weekday: 0, month: 1, day: 1 };
  const says = texts.page.strip.night({
    date: parts === undefined ? night.date : texts.moments.date(day),
    verdict: texts.verdict.words[night.verdict],
    archived,
    givenUp,
    made,
    held,
    limit,
    hasRetries,
  });
  const label =
    parts === undefined
      ? undefined
      : html`<b aria-hidden="true">${parts.day}</b>${
          isFirst || parts.day === 1
            ? html`<i aria-hidden="true">${texts.moments.month(parts.month)}</i>`
            : undefined
        }`;
  const picture = html`<svg class="${night.verdict}" role="img" viewBox="0 0 24 ${HEIGHT}" preserveAspectRatio="xMidYMax meet">
    <title>${says}</title>${bar(held, limit)}
    <use href="#m-${VERDICT_MARKS[night.verdict]}" x="5" y="4" width="14" height="14"/>
    ${hasRetries ? RETRIED : undefined}</svg>${label}`;
  if (isThis) {
    return html`<li><span aria-current="page">${picture}</span></li>`;
  }
  const folder = TO_FOLDER[pageFile];
  if (folder === undefined || parts === undefined || night.verdict === "unreported") {
    return html`<li><span>${picture}</span></li>`;
  }
  const path = `${folder}${night.date.replaceAll("-", "/")}.html`;
  return html`<li><a href="${path}">${picture}</a></li>`;
}

function bar(held: number | undefined, limit: number): Html {
  const top = (slots: number) => HEIGHT - Math.round((Math.min(slots, limit) / limit) * BARS);
  const line = top(WARNING_PLACES);
  return html`${
    held === undefined
      ? undefined
      : html`<rect class="bar" x="5" y="${top(held)}" width="14" height="${HEIGHT - top(held)}"/>`
  }<path class="limit" d="M0 ${line}h24"/><path class="base" d="M0 ${HEIGHT}h24"/>`;
}
