import { readEnqueued } from "../discovery/discovered-state.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { StorePort } from "./ports.ts";

/** When `discover` last enqueued an export, epoch milliseconds; `undefined` where it has not, or does not tell. */
export async function lastEnqueuedMs(
  store: Pick<StorePort, "getDocument">,
  options: CallOptions,
): Promise<number | undefined> {
  const times = [...(await readEnqueued(store, options)).values()].map(({ atMs }) => atMs);
  return times.length === 0 ? undefined : Math.max(...times);
}
