import { hostname, userInfo } from "node:os";
import { EXIT } from "./process.ts";

/**
 * Who is at the keyboard, as holds note it: `ann@archive-1`, or `uid-1234@archive-1` for a user that the system has
 * no name for, as in a container that runs with any id.
 *
 * @param lookUp throws when there is no such user, as Node's own does.
 */
export function operatorName(lookUp: LookUp = userInfo): string {
  return `${userName(lookUp)}@${hostname()}`;
}

type LookUp = () => { readonly username: string };

/** The name of the user who runs this process. */
export function userName(lookUp: LookUp = userInfo): string {
  try {
    return lookUp().username;
  } catch {
    // Whatever the reason, a hold must not fail for want of a name.
    return `uid-${process.getuid?.() ?? "unknown"}`;
  }
}

/** What an operator's interrupt aborts the run with. */
export class InterruptedByOperator extends Error {
  override readonly name = "InterruptedByOperator";

  constructor() {
    super("interrupted by the operator");
  }
}

/**
 * Runs `work` with a signal that the first Ctrl-C (or SIGTERM) aborts, so that it ends cleanly; a second
 * one ends the process at once, which loses nothing either, but leaves its messages hidden for a while.
 *
 * @param stopping what the operator is told then; of tasks in hand only by a command that takes some.
 */
export async function interruptible<T>(
  say: (line: string) => void,
  work: (signal: AbortSignal) => Promise<T>,
  stopping = "Stopping.",
): Promise<T> {
  const abort = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    if (abort.signal.aborted) {
      process.exit(EXIT.interrupted);
    }
    // A service manager that sends SIGTERM has no keys, and neither has the reader of a log.
    const hasKeys = name === "SIGINT" && process.stderr.isTTY;
    say(hasKeys ? `${stopping} Press Ctrl-C again to stop at once.` : stopping);
    abort.abort(new InterruptedByOperator());
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  try {
    return await work(abort.signal);
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
}
