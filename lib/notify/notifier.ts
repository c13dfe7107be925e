import type { Notifier } from "../ports/notifier.ts";
import type { SendOptions } from "./attempts.ts";
import { loadPublish } from "./sdk-adapters.ts";
import type { SecretAddress, Target } from "./target.ts";
import { sendToWeb } from "./web.ts";

interface NotifierOptions extends SendOptions {
  /** Needed where a target is a mail address. */
  readonly server: SecretAddress | undefined;
}

/** Those who are told, each over its own interface. */
export function createNotifier(
  targets: readonly Target[],
  { server, ...options }: NotifierOptions,
): Notifier {
  const byName = new Map(targets.map((target) => [target.name, target]));
  return {
    targets: [...byName.keys()],
    async send(name, message, { signal }) {
      const target = byName.get(name);
      if (target === undefined) {
        throw new TypeError("a target that is not configured was to be told");
      }
      const { kind, address } = target;
      const sending = { ...options, signal };
      switch (kind) {
        case "sns": {
          const publish = await loadPublish();
          return await publish(address, message, sending);
        }
        case "mail": {
          if (server === undefined) {
            throw new TypeError("a mail was to be sent without a server");
          }
          const { sendMail } = await import("./mail.ts");
          return await sendMail(address, message, { ...sending, server });
        }
        default:
          return await sendToWeb(kind, address, message, sending);
      }
    },
  };
}
