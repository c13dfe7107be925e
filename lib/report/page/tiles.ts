import { formatBytes } from "../../domain/format-bytes.ts";
import type { Night } from "../night.ts";
import type { Speech } from "../verdict-line.ts";
import { type Html, html } from "./html.ts";
import { grouped } from "./numbers.ts";

/** The night in numbers; each with its limit. */
export function tiles(night: Night, { texts, say }: Speech): Html {
  const { counts, bytes, places, keptFor, verification, streak } = night;
  const { tiles: words } = texts.page;
  const { held, limit, fullInDays, seenAt } = places;
  const full = fullInDays === undefined ? "" : texts.slots.full(fullInDays);
  const slots =
    held === undefined
      ? texts.slots.unknown
      : seenAt === undefined
        ? full
        : texts.slots.seen(full, say.full(Date.parse(seenAt)));
  const reasons = Object.entries(keptFor)
    .slice(0, 3)
    .map(([code]) => say.reason(code));
  const isOneReason = reasons.length === 1;
  return html`<section aria-labelledby="numbers"><h2 id="numbers">${words.title}</h2><dl class="tiles">
    ${tile(words.safe, `${counts.archived} / ${counts.finished}`, formatBytes(bytes))}
    ${tile(words.deleted, counts.deleted, words.kept(counts.kept, isOneReason ? (reasons[0] ?? "") : reasons.join(texts.comma)))}
    ${tile(words.slots, `${held ?? "?"} / ${limit}`, slots)}
    ${tile(words.made, counts.made, words.throttled(counts.throttled))}
    ${
      verification === undefined
        ? tile(words.unread, "–", texts.copies.unknown)
        : tile(
            words.unread,
            `${Math.floor(verification.oldestUnreadDays)} / ${verification.limitDays}`,
            words.copies(
              grouped(verification.copies),
              verification.coldCopies === 0 ? undefined : grouped(verification.coldCopies),
            ),
          )
    }
    ${tile(words.streak, words.nights(streak), words.streakMeaning)}</dl></section>`;
}

function tile(name: string, value: string | number, of: string): Html {
  return html`<div><dt>${name}</dt><dd class="n">${value}</dd>${of === "" ? undefined : html`<dd class="of">${of}</dd>`}</div>`;
}
