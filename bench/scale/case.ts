import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { spawnSandbox } from "../../sandbox/start.ts";
import { watch } from "../watched-process.ts";
import { bareEnvironment } from "../workplace.ts";
import { type Estate, EXPORTS_PER_NIGHT, SCOPE } from "./estate.ts";
import { folderPlace, type Place, s3Place } from "./places.ts";

const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.mjs");
const ACCOUNT = { ak: "BENCHAK0000000000000", sk: "benchSecretKey0123456789abcdefghijklmnopq" };
/** Files that are younger count as not yet written out, and a reader makes them durable once more. */
const WRITTEN_OUT_AFTER_MS = 10 * 60_000;
const REMOVALS = 10;
const VERIFICATIONS = 50;

/** What one command of a day took. */
export interface Step {
  readonly name: string;
  readonly seconds: number;
  /** `undefined` where the process was killed. */
  readonly peakBytes: number | undefined;
  /** By operation; `undefined` on a folder. */
  readonly requests: Readonly<Record<string, number>> | undefined;
  /** What it did, in a few words. */
  readonly did: string;
}

const counted = v.pipe(
  v.string(),
  v.parseJson(),
  v.looseObject({ counts: v.optional(v.record(v.string(), v.unknown()), {}) }),
);

/** One archive at one place, and the command line on it. */
export class ScaleCase {
  readonly place: Place;
  readonly #estate: Estate;
  readonly #settingsFile: string;
  readonly #stop: () => Promise<void>;

  private constructor(place: Place, estate: Estate, settingsFile: string, stop: () => Promise<void>) {
    this.place = place;
    this.#estate = estate;
    this.#settingsFile = settingsFile;
    this.#stop = stop;
  }

  /** Plants the archive. @param hasCatalogue as an inventory of the day before has left it. */
  static async plant(kind: "folder" | "s3", estate: Estate, hasCatalogue: boolean): Promise<ScaleCase> {
    const folder = await mkdtemp(join(tmpdir(), "archiver-scale-"));
    const place = kind === "folder" ? folderPlace(join(folder, "archive")) : await s3Place(folder);
    const sandbox = await spawnSandbox({
      stateFolder: join(folder, "platform"),
      settings: { projectId: SCOPE.projectId, accounts: [ACCOUNT] },
    });
    // Without an export on the platform, no list proves anything.
    await sandbox.control.addTasks([{ exportTaskId: "on-the-platform" }]);
    const nowMs = Date.now();
    const marker = {
      schemaVersion: 1,
      archiveId: "00000000-0000-4000-8000-000000000001",
      createdAt: new Date(nowMs).toISOString(),
    };
    place.plant({ key: "archive.json", text: JSON.stringify(marker), modifiedAtMs: nowMs });
    for (let index = 0; index < estate.exports; index += 1) {
      for (const file of estate.at(index).files) {
        place.plant(file);
      }
    }
    if (hasCatalogue) {
      for (const file of estate.catalogue()) {
        place.plant(file);
      }
    }
    const settings = [
      `ARCHIVER_IOTDA_ENDPOINT=${sandbox.endpoint}`,
      `ARCHIVER_IOTDA_PROJECT_ID=${SCOPE.projectId}`,
      `HUAWEICLOUD_SDK_AK=${ACCOUNT.ak}`,
      `HUAWEICLOUD_SDK_SK=${ACCOUNT.sk}`,
      `ARCHIVER_QUEUE=sqlite://${join(folder, "queue.db")}`,
      `ARCHIVER_VERIFY_BYTES_PER_DAY=${VERIFICATIONS * Buffer.byteLength(estate.at(0).files[0]?.text ?? "")}`,
      `ARCHIVER_RETENTION_POLICY={"schemaVersion":1,"default":{"keepDays":${estate.keepDays},"lock":"none"}}`,
      `ARCHIVER_EXPIRE_MAX_REMOVALS=${REMOVALS}`,
      ...place.settings,
    ];
    const settingsFile = join(folder, "archiver.env");
    await writeFile(settingsFile, `${settings.join("\n")}\n`, { mode: 0o600 });
    return new ScaleCase(place, estate, settingsFile, async () => {
      await place.stop();
      await sandbox.stop();
      await rm(folder, { recursive: true, force: true });
    });
  }

  /** The first inventory of an archive from before it. */
  async first(): Promise<Step> {
    return await this.#step("first inventory", ["inventory"]);
  }

  /** The same once more, after one that was killed on its way. */
  async firstAfterKill(): Promise<readonly Step[]> {
    for (const folder of ["catalogue/", "verification/", "state/inventory/"]) {
      this.place.clear(folder);
    }
    const startedAtMs = performance.now();
    const args = [CLI, "inventory", "--json", "--config", this.#settingsFile];
    const killed = { timeout: this.place.killAfterMs, killSignal: "SIGKILL" } as const;
    await once(spawn(process.execPath, args, { env: bareEnvironment(), stdio: "ignore", ...killed }), "exit");
    const seconds = (performance.now() - startedAtMs) / 1000;
    const requests = this.place.takeRequests();
    return [
      { name: "the same, killed", seconds, peakBytes: undefined, requests, did: "" },
      await this.#step("the one after it", ["inventory"]),
    ];
  }

  /** A day with fifty new exports, fifty copies to read and ten exports to remove, and what an operator asks. */
  async day(): Promise<readonly Step[]> {
    for (let index = 0; index < EXPORTS_PER_NIGHT; index += 1) {
      for (const file of this.#estate.at(this.#estate.exports + index).files) {
        this.place.plant(file);
      }
    }
    const { line } = this.#estate.at(Math.floor(this.#estate.exports / 2));
    return [
      await this.#step("inventory of the day", ["inventory"]),
      await this.#step("retention expire", ["retention", "expire"]),
      await this.#step("list --since 7d", ["list", "--since", "7d"]),
      await this.#step("find", ["find", line.exportTaskId.slice(3, 15)]),
      await this.#step("show", ["show", line.exportTaskId]),
      await this.#step("retention plan", ["retention", "plan"]),
    ];
  }

  async stop(): Promise<void> {
    await this.#stop();
  }

  async #step(name: string, args: readonly string[]): Promise<Step> {
    this.place.takeRequests();
    const { stdout, wallMs, peakResidentBytes } = await watch(
      process.execPath,
      [CLI, ...args, "--json", "--config", this.#settingsFile],
      bareEnvironment(),
      // 3: something was found that a person looks at. The table says what.
      [0, 3],
    );
    const { counts } = v.parse(counted, stdout);
    const did = Object.entries(counts)
      .filter(([, value]) => typeof value === "number" && value > 0)
      .map(([key, value]) => `${key} ${value}`)
      .join(", ");
    const requests = this.place.takeRequests();
    return { name, seconds: wallMs / 1000, peakBytes: peakResidentBytes, requests, did };
  }
}

/** Waits until files that were planted just now count as written out. */
export async function waitUntilWrittenOut(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, WRITTEN_OUT_AFTER_MS));
}
