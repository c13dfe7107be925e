import { cutToBytes } from "../domain/cut-text.ts";
import type { Beat, Heartbeat } from "../ports/notifier.ts";
import { inAttempts, type SendOptions } from "./attempts.ts";
import { post } from "./http.ts";
import type { SecretAddress } from "./target.ts";

/** Healthchecks keeps 100 kB of a ping's body; others keep less. */
const MAX_BODY_BYTES = 10_000;

/** What stands after the address of the check (healthchecks.io, "Pinging API"). */
const PATH_OF: Readonly<Record<Beat, string>> = { start: "/start", success: "", fail: "/fail" };

/** The check at an address, as Healthchecks and those that do as it does take pings. */
export function createHeartbeat(address: SecretAddress, { proxy, limits }: SendOptions): Heartbeat {
  return {
    async ping(beat, text, { signal }) {
      const url = new URL(address.reveal());
      url.pathname = `${url.pathname.replace(/\/$/, "")}${PATH_OF[beat]}`;
      const body = cutToBytes(text, MAX_BODY_BYTES);
      const sent = { url, contentType: "text/plain; charset=utf-8", body };
      // A ping that arrives twice says the same.
      const repeated = ["not-taken", "unknown"] as const;
      await inAttempts((limited) => post(sent, proxy, limited), signal, limits, repeated);
    },
  };
}
