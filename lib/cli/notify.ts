import { ConfigurationError } from "../config/errors.ts";
import { wireHeartbeat } from "../config/heartbeat-wiring.ts";
import { withNotificationSecret } from "../config/notification-secret.ts";
import { wireNotifier } from "../config/notifier-wiring.ts";
import { describeFailure, type Failure } from "../domain/errors.ts";
import type { Message } from "../ports/notifier.ts";
import { loadConfiguration } from "./environment.ts";
import { interruptible } from "./operator.ts";
import { failureLines, lines, operatorLines, type Result, red, shownSecrets } from "./output.ts";
import { EXIT } from "./process.ts";
import type { CommonOptions } from "./session.ts";

const TEST: Message = {
  kind: "test",
  subject: "Test of the IoTDA export archiver",
  text: "This message was sent by hand, with `iotda-archiver notify test`. It says nothing about any night.",
};

interface Tried {
  /** Kind and host, or `heartbeat`. */
  readonly target: string;
  /** Missing where the message was taken. */
  readonly failure?: Failure;
}

/** `notify test`: sends one message to each target and one ping, and says of each what came of it. */
export async function notifyTestCommand(options: CommonOptions): Promise<Result> {
  const settings = await withNotificationSecret(await loadConfiguration(options, []), shownSecrets);
  const notifier = wireNotifier(settings);
  const heartbeat = wireHeartbeat(settings, shownSecrets);
  if (heartbeat === undefined && notifier.targets.length === 0) {
    const fix = "Set it, or ARCHIVER_HEARTBEAT_URL, or both.";
    throw new ConfigurationError([{ name: "ARCHIVER_NOTIFY", problem: "is not set", fix }]);
  }
  const tried = await interruptible(await operatorLines(), async (signal) => {
    const sendings = notifier.targets.map((target) =>
      attempt(target, signal, () => notifier.send(target, TEST, { signal })),
    );
    const pings = heartbeat && [
      attempt("heartbeat", signal, () =>
        heartbeat.ping("success", `${TEST.subject}. ${TEST.text}\n`, { signal }),
      ),
    ];
    return await Promise.all([...sendings, ...(pings ?? [])]);
  });
  const shown = tried.map(({ target, failure }) =>
    failure === undefined ? `${target}: ok` : failureLines(failure, `${target}: `, red),
  );
  const isAllTaken = tried.every(({ failure }) => failure === undefined);
  return { document: { tried }, lines: lines(...shown), exitCode: isAllTaken ? EXIT.done : EXIT.failed };
}

async function attempt(target: string, signal: AbortSignal, send: () => Promise<void>): Promise<Tried> {
  try {
    await send();
    return { target };
  } catch (error) {
    signal.throwIfAborted();
    return { target, failure: describeFailure(error) };
  }
}
