import { PieceFolder } from "./content.ts";
import { FaultScript } from "./faults.ts";
import { Bucket } from "./model.ts";
import { S3RequestLog } from "./request-log.ts";
import { changedSettings, type S3Settings, type S3SettingsPatch } from "./settings.ts";

/** Everything one stand-in has. */
export class S3Store {
  readonly pieces: PieceFolder;
  readonly faults = new FaultScript();
  readonly log = new S3RequestLog();
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
