import { describeFailure, type Failure } from "../domain/errors.ts";
import type { Message } from "../ports/notifier.ts";
import type { CallOptions } from "../ports/platform.ts";
import {
  changeState,
  type NotificationState,
  type NotifyPorts,
  type NotifySettings,
} from "./notification-state.ts";

/** A target that was not told. */
export interface Untold {
  readonly target: string;
  readonly failure: Failure;
}

/** What came of a message. */
export interface Sent {
  readonly took: readonly string[];
  readonly untold: readonly Untold[];
}

/**
 * Sends a message to every target at once, and notes in the state who took it. The state is noted before and after: what a
 * runner dies over is named by the next report.
 *
 * @param noted makes the change of the state that belongs to the end of the sending.
 * @throws what the store throws; the message may have arrived then.
 */
export async function sendToAll(
  ports: NotifyPorts,
  settings: NotifySettings,
  message: Message,
  options: CallOptions,
  noted: (state: NotificationState, sent: Sent) => NotificationState = (state) => state,
): Promise<Sent> {
  const { notifier, clock } = ports;
  const nowIso = () => new Date(clock.wallMs()).toISOString();
  const pendingAt = nowIso();
  const pending = (state: NotificationState) => {
    const begun = notifier.targets.map((target) => [
      target,
      { since: sinceOf(state, target) ?? pendingAt, pendingAt },
    ]);
    return { ...state, unsent: { ...state.unsent, ...Object.fromEntries(begun) } };
  };
  await changeState(ports, settings, pending, options);
  const results = await Promise.all(notifier.targets.map((target) => told(ports, target, message, options)));
  const sent = {
    took: notifier.targets.filter((_, index) => results[index] === undefined),
    untold: results.filter((result) => result !== undefined),
  };
  const ended = (state: NotificationState) => {
    const unsent = sent.untold.map(
      ({ target }) => [target, { since: sinceOf(state, target) ?? pendingAt }] as const,
    );
    // Those who are not told any more are forgotten.
    return noted({ ...state, unsent: Object.fromEntries(unsent) }, sent);
  };
  await changeState(ports, settings, ended, options);
  return sent;
}

function sinceOf({ unsent }: NotificationState, target: string): string | undefined {
  return Object.hasOwn(unsent, target) ? unsent[target]?.since : undefined;
}

async function told(
  { notifier }: Pick<NotifyPorts, "notifier">,
  target: string,
  message: Message,
  { signal }: CallOptions,
): Promise<Untold | undefined> {
  try {
    await notifier.send(target, message, { signal });
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return { target, failure: describeFailure(error) };
  }
}
