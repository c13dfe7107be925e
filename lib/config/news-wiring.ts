import type { InventoryReport } from "../catalogue/inventory.ts";
import { describeFailure } from "../domain/errors.ts";
import type { PlatformScope } from "../domain/export-task.ts";
import type { ResultRedactor } from "../observability/redact.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { RunReport } from "../records/run-report.ts";
import {
  type NewsPorts,
  type NewsSettings,
  tellNewsOfInventory,
  tellNewsOfRun,
} from "../report/tell-news.ts";
import type { ToldUrgent } from "../report/tell-urgent.ts";
import { withTimeLimit } from "../run/deadline.ts";
import type { CommonConfiguration } from "./configuration.ts";
import { withNotificationSecret } from "./notification-secret.ts";
import { wireNotifier } from "./notifier-wiring.ts";
import { systemClock, systemRandom } from "./system.ts";

/** For reading, claiming and telling together; each message has 10 s. */
const NEWS_LIMIT_MS = 45_000;

/** Tells at once what cannot wait for the report of the night. Whatever becomes of it, nothing is thrown. */
export interface NewsTeller {
  ofRun(report: RunReport): Promise<void>;
  ofInventory(report: Pick<InventoryReport, "damage" | "stopReason">): Promise<void>;
}

interface NewsWiring {
  readonly configuration: Pick<CommonConfiguration, "notification" | "proxy" | "report">;
  readonly store: ObjectStore;
  readonly scope: PlatformScope;
  readonly redactor: ResultRedactor;
  /** Ends the telling early. */
  readonly signal: AbortSignal;
  /** Is told of what could not be told. */
  readonly say: (message: string) => void;
}

/** Without a target, nothing is asked of the store. */
export function wireNews({ configuration, store, scope, redactor, signal, say }: NewsWiring): NewsTeller {
  const { notification, report: settings } = configuration;
  const isWanted = (notification.targets ?? []).length > 0 || notification.secretId !== undefined;
  const telling = async (
    tell: (ports: NewsPorts, settings: NewsSettings, signal: AbortSignal) => Promise<ToldUrgent>,
  ) => {
    if (!isWanted || signal.aborted) {
      return;
    }
    try {
      const notifier = wireNotifier(await withNotificationSecret(configuration, redactor));
      const ports = { store, notifier, clock: systemClock, random: systemRandom };
      const { language, timeZone } = settings;
      const { untold } = await withTimeLimit(
        systemClock,
        NEWS_LIMIT_MS,
        async (limited) => {
          const abilities = await store.preflight({ signal: limited });
          return await tell(ports, { scope, abilities, language, timeZone }, limited);
        },
        signal,
      );
      for (const { target, failure } of untold) {
        say(`${target} was not told what cannot wait: ${failure.message}.`);
      }
    } catch (error) {
      say(`What cannot wait could not be told: ${describeFailure(error).message}.`);
    }
  };
  return {
    ofRun: (report) =>
      telling((ports, newsSettings, limited) =>
        tellNewsOfRun(ports, newsSettings, report, { signal: limited }),
      ),
    ofInventory: (report) =>
      telling((ports, newsSettings, limited) =>
        tellNewsOfInventory(ports, newsSettings, report, { signal: limited }),
      ),
  };
}
