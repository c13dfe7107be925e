import type { Configuration } from "../config/configuration.ts";
import { loadSecretReader } from "../config/sdk-adapters.ts";
import { systemClock } from "../config/system.ts";
import type { HttpEvent } from "../events/envelopes.ts";
import { admitHttp } from "../events/http-gate.ts";
import { RotatingSecret } from "../events/rotating-secret.ts";
import type { SecretLearner } from "../observability/redact.ts";
import type { Clock } from "../ports/clock.ts";

/** How HTTP events are let in, and the way to where their secret is kept. */
export type EventSecretConfiguration = Configuration<"events">;

type ReadSecret = (secretId: string, proxy: EventSecretConfiguration["proxy"]) => Promise<string>;

/** Lets HTTP events in by their secret, which is kept from one call of the function to the next. */
export class EventDoor {
  /** Those read so far, old ones too: both must stay out of every log. */
  readonly #texts = new Set<string>();
  readonly #read: ReadSecret;
  readonly #clock: Pick<Clock, "wallMs">;
  #kept: { readonly secretId: string; readonly secret: RotatingSecret } | undefined;

  constructor(read: ReadSecret = readFromSecretsManager, clock: Pick<Clock, "wallMs"> = systemClock) {
    this.#read = read;
    this.#clock = clock;
  }

  /**
   * As {@link admitHttp}. A request whose secret is another one makes the secret be read again, within bounds.
   *
   * @param learner is told of every secret before this ends.
   * @throws ConfigurationError and `ArchiverError` `secret-unavailable` when the secret cannot be read.
   */
  async admit(
    request: HttpEvent,
    { events, proxy }: EventSecretConfiguration,
    learner: SecretLearner,
  ): Promise<ReturnType<typeof admitHttp>> {
    if (events.secretId === undefined) {
      return admitHttp(request, events.secret?.reveal());
    }
    const secret = this.#secretOf(events.secretId, proxy);
    try {
      const admitted = admitHttp(request, await secret.current());
      const isUnsigned = admitted.kind === "refused" && admitted.reason === "unsigned";
      return isUnsigned ? admitHttp(request, await secret.renewed()) : admitted;
    } finally {
      this.teach(learner);
    }
  }

  /** Tells the secrets that are known so far. */
  teach(learner: SecretLearner): void {
    learner.learn([...this.#texts]);
  }

  #secretOf(secretId: string, proxy: EventSecretConfiguration["proxy"]): RotatingSecret {
    if (this.#kept?.secretId !== secretId) {
      const read = async () => {
        const text = await this.#read(secretId, proxy);
        this.#texts.add(text);
        return text;
      };
      this.#kept = { secretId, secret: new RotatingSecret(read, this.#clock) };
    }
    return this.#kept.secret;
  }
}

const readFromSecretsManager: ReadSecret = async (secretId, proxy) => {
  // With it comes the AWS SDK: events of queues need no secret.
  const { readEventSecret } = await loadSecretReader();
  return await readEventSecret(secretId, proxy);
};
