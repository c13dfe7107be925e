import { FaultError } from "../domain/errors.ts";
import type { CallOptions } from "./platform.ts";

/** What somebody is told. Texts may come from outside: whoever sends them makes them harmless for the receiver. */
export interface Message {
  /** `night`: how a night went. `urgent`: what cannot wait for it. `test`: an operator tries the way. */
  readonly kind: "night" | "urgent" | "test";
  /** One line. */
  readonly subject: string;
  readonly text: string;
}

/** Those who are told. */
export interface Notifier {
  /** By name, each once. A name is all that is ever shown of a target. */
  readonly targets: readonly string[];
  /**
   * Tells one target. A message that may have arrived is never sent twice here.
   *
   * @throws {NotifyError} when it was not taken, or nothing said that it was.
   */
  send(target: string, message: Message, options: CallOptions): Promise<void>;
}

/** `start` before a run, then `success` or `fail`. */
export type Beat = "start" | "success" | "fail";

/** A watchdog that tells a person when it hears nothing. */
export interface Heartbeat {
  /**
   * @param text is shown beside the ping; the first 10,000 bytes of it are sent.
   * @throws {NotifyError} when the ping was not taken.
   */
  ping(beat: Beat, text: string, options: CallOptions): Promise<void>;
}

export type NotifyErrorCode =
  /** No connection, or no whole answer within the limit. */
  | "notify-unreachable"
  /** The receiver answered that it did not take the message. */
  | "notify-refused";

/** Its message names neither address nor answer: both may hold secrets. */
export class NotifyError extends FaultError<NotifyErrorCode> {}
