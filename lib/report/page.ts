import { createHash } from "node:crypto";
import { harmlessNight } from "./harmless-night.ts";
import type { Language } from "./languages.ts";
import type { FindingKind, Night } from "./night.ts";
import { type Html, html, textOf, trusted } from "./page/html.ts";
import { MARKS, mark, VERDICT_MARKS } from "./page/marks.ts";
import { needsSection, watchSection } from "./page/needs.ts";
import { SCRIPT } from "./page/script.ts";
import { type PageFile, strip } from "./page/strip.ts";
import { STYLE } from "./page/style.ts";
import { exportsSection, runsSection, settingsSection, timeOf, verificationSection } from "./page/tables.ts";
import { tiles } from "./page/tiles.ts";
import { lastRunOf, lossFromMs, type Speech, speechOf, verdictLine } from "./verdict-line.ts";

/** Nothing is loaded from anywhere; style and script are those whose hashes stand here. */
const POLICY = [
  "default-src 'none'",
  `style-src '${hashOf(STYLE)}'`,
  `script-src '${hashOf(SCRIPT)}'`,
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** A browser that finds no icon asks the server for one. */
const NO_ICON = "data:,";

/**
 * The page of a night: one HTML file that asks for nothing else. The same night gives the same bytes.
 *
 * @param pageFile where it will lie, for its links to other nights. The latest page covers itself when it is old; the
 *   page of a day says above everything how old it is.
 */
export function pageOf(night: Night, language: Language, pageFile: PageFile = "latest"): string {
  const shown = harmlessNight(night);
  const speech = speechOf(language, night.timeZone, Date.parse(shown.madeAt));
  const { texts } = speech;
  const title = verdictLine(shown, speech);
  const page = html`<html lang="${texts.lang}" data-made="${shown.madeAt}"><head><meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="${POLICY}">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">
    <meta name="robots" content="noindex"><meta name="format-detection" content="telephone=no">
    <title>${title}</title><link rel="icon" href="${NO_ICON}"><style>${trusted(STYLE)}</style></head><body>
    ${MARKS}${stale(speech, pageFile)}<div id="page">${header(shown, title, speech)}<main>${answers(shown, speech)}
    ${needsSection(shown, speech)}${watchSection(shown, speech)}${tiles(shown, speech)}
    ${strip(shown, texts, pageFile)}${exportsSection(shown, speech)}${runsSection(shown, speech)}
    ${verificationSection(shown, speech)}${settingsSection(shown, speech)}</main></div>
    <script>${trusted(SCRIPT)}</script></body></html>`;
  return `<!doctype html>${textOf(page)}\n`;
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

/** Shown by the script alone. */
function stale({ texts }: Speech, pageFile: PageFile): Html {
  const { stale: words } = texts.page;
  const isLatest = pageFile === "latest";
  const kind = isLatest ? "cover" : "banner";
  const way = pageFile !== "day" ? undefined : html`<p><a href="../../latest.html">${words.toLatest}</a></p>`;
  return html`<div id="old" class="${kind}" role="alert" hidden data-hours="${words.hours}" data-days="${words.days}">
    <strong id="age"></strong><p>${isLatest ? words.latest : words.day}</p>${way}
    <button type="button" id="show"${isLatest ? undefined : html` hidden`}>${words.show}</button></div>`;
}

/** The verdict, above everything else. */
function header(night: Night, title: string, speech: Speech): Html {
  const { texts } = speech;
  const { page } = texts;
  const { verdict, projectId, instanceId } = night;
  const of = texts.scope({ project: projectId, instance: instanceId });
  return html`<header class="verdict v-${verdict}"><div><h1>${mark(VERDICT_MARKS[verdict], "sign")}<span>${title}</span></h1>
    <p class="of">${page.product} · ${of}</p></div></header>`;
}

/** The answers to what is asked first: what is at risk, did the night happen, is this page of today? */
function answers(night: Night, speech: Speech): Html {
  const { texts, moments } = speech;
  const { page } = texts;
  const { madeAt, from } = night;
  const made = page.madeAt(moments.full(Date.parse(madeAt)), moments.at(Date.parse(from)));
  return html`<dl class="answers"><dt>${page.risk}</dt><dd>${riskInWords(night, speech)}</dd>
    <dt>${page.night}</dt><dd>${nightInWords(night, speech)}</dd>
    <dt>${page.made}</dt><dd>${timeOf(madeAt, () => made)}<noscript> ${page.checkDate}</noscript></dd></dl>`;
}

function riskInWords(night: Night, { texts: { page }, say }: Speech): string {
  const { findings, places, madeAt } = night;
  const count = (kind: FindingKind) => findings.filter((finding) => finding.kind === kind).length;
  const lost = count("lost");
  const damaged = count("damaged");
  const nearMs = lossFromMs(findings);
  const later = places.lossFrom;
  const next =
    nearMs !== undefined
      ? nearMs <= Date.parse(madeAt)
        ? page.riskNow
        : page.riskFrom(say.full(nearMs))
      : places.held === undefined
        ? page.riskUnknown
        : later === undefined
          ? riskLastSeen(places, { page, say })
          : page.riskLater(say.full(Date.parse(later)));
  return [
    ...(lost === 0 ? [] : [page.lost(lost)]),
    ...(damaged === 0 ? [] : [page.damaged(damaged)]),
    next,
  ].join(" ");
}

/** That nothing was in danger when somebody last looked says little about the hours since then. */
function riskLastSeen(
  { seenAt }: Night["places"],
  { page, say }: Pick<Speech["texts"], "page"> & Pick<Speech, "say">,
): string {
  return seenAt === undefined ? page.riskNone : page.riskSeen(say.full(Date.parse(seenAt)));
}

function nightInWords(night: Night, speech: Speech): string {
  const { texts, say } = speech;
  const { runs, counts } = night;
  const last = runs.at(-1);
  if (last === undefined) {
    return texts.noRun(lastRunOf(night, speech)).what;
  }
  const failed = runs.filter(({ failureCode }) => failureCode !== undefined).length;
  const ran = texts.page.ran(runs.length, failed, say.at(Date.parse(last.endedAt)));
  return `${ran} ${texts.verdict.safe(counts.archived, counts.finished)}${texts.stop.trimEnd()}`;
}
