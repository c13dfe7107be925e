import type { JobBody } from "./job.ts";
import type { Source } from "./source.ts";

const MB = 1_000_000;

/** A body that is less than it should be, or a source that falls silent. */
export interface BatteryCase {
  readonly name: string;
  readonly body: JobBody;
  /** Of the file as it should have been. */
  readonly wholeBytes: number;
  readonly abortAfterMs?: number;
  /** Whether it has to end in success: the control that shows that a peer works at all. */
  readonly isWhole?: true;
}

/** A control and nine ways to fail; its 250 of 300 MB are here a stream like the others, and piped only to rclone. */
export function batteryCases(source: Source): readonly BatteryCase[] {
  return [
    { ...overHttp("whole file of 40 MB (control)", source.wholeUrl(40 * MB), 40 * MB), isWhole: true },
    overHttp("declares 4 MB, sends 3 MB, closes", source.cutUrl("length", 4 * MB, 3 * MB), 4 * MB),
    overHttp("declares 40 MB, sends 30 MB, closes", source.cutUrl("length", 40 * MB, 30 * MB), 40 * MB),
    overHttp("chunked, cut at 30 of 40 MB", source.cutUrl("chunked", 40 * MB, 30 * MB), 40 * MB),
    overHttp("no length, ends at 30 of 40 MB", source.cutUrl("close", 40 * MB, 30 * MB), 40 * MB),
    asStream("stream ends cleanly, 12.5 of 13 MB declared", 12.5 * MB, 13 * MB),
    asStream("stream ends cleanly, 30 of 40 MB declared", 30 * MB, 40 * MB),
    asStream("stream ends cleanly, 3 of 4 MB declared, one part", 3 * MB, 4 * MB),
    asStream("stream ends cleanly, 250 of 300 MB declared", 250 * MB, 300 * MB),
    {
      ...overHttp(
        "source stalls at 30 of 40 MB, abort after 1 s",
        source.cutUrl("stall", 40 * MB, 30 * MB),
        40 * MB,
      ),
      abortAfterMs: 1_000,
    },
  ];
}

function overHttp(name: string, url: string, wholeBytes: number): BatteryCase {
  return { name, body: { kind: "http", url }, wholeBytes };
}

function asStream(name: string, sentBytes: number, declaredBytes: number): BatteryCase {
  return { name, body: { kind: "stream", sentBytes, declaredBytes }, wholeBytes: declaredBytes };
}
