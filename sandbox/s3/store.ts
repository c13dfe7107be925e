import { afterMeeting, decideFault, type FaultProgress } from "../kit/faults.ts";
import { RequestLog } from "../kit/request-log.ts";
import { PieceFolder } from "./content.ts";
import type { S3RequestDetails } from "./control-protocol.ts";
import { type FaultSubject, isFor, type S3Fault, type S3FaultRule } from "./faults.ts";
import { Bucket } from "./model.ts";
import { changedSettings, type S3Settings, type S3SettingsPatch } from "./settings.ts";

/** Everything one stand-in has. */
export class S3Store {
  readonly pieces: PieceFolder;
  faults: FaultProgress<S3FaultRule>[] = [];
  readonly log = new RequestLog<S3RequestDetails>();
  readonly #buckets = new Map<string, Bucket>();
  #settings: S3Settings;

  /** @param folder for bodies too large for memory. */
  constructor(folder: string, settings: S3Settings) {
    this.pieces = new PieceFolder(folder);
    this.#settings = settings;
  }

  get settings(): S3Settings {
    return this.#settings;
  }

  changeSettings(patch: S3SettingsPatch): void {
    this.#settings = changedSettings(this.#settings, patch);
  }

  /** The fault to play on a request, if any; the rules count it. */
  meetFaults(subject: FaultSubject): S3Fault | undefined {
    const { met, fault } = decideFault(this.faults, (rule) => isFor(rule, subject));
    this.faults = met.reduce(afterMeeting, this.faults);
    return fault;
  }

  /** What a bucket holds, whether or not the settings have it now. */
  bucket(name: string): Bucket {
    const contents = this.#buckets.get(name) ?? new Bucket();
    this.#buckets.set(name, contents);
    return contents;
  }

  /** The store's clock, epoch milliseconds. */
  nowMs(): number {
    return Date.now() + this.#settings.clockSkewMs;
  }
}
