import type { RunPorts } from "../run/ports.ts";
import type { Observe } from "./events.ts";

/** Everything an archive run reaches the world through. Nothing else in this folder touches it. */
export interface ArchivePorts extends RunPorts {
  readonly observe: Observe;
}
