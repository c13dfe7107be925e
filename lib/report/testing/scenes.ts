import type { InventoryState } from "../../records/inventory-state.ts";
import { emptyCounts, type RunReport, type TaskEntry } from "../../records/run-report.ts";
import type { Finding, Night } from "../night.ts";
import type { EarlierNight, NightFacts, NightLine } from "../night-facts.ts";
import { nightOf } from "../night-of.ts";
import { addDays, momentOf } from "../zoned-time.ts";
import { EVERY_FINDING } from "./every-finding.ts";
import { facts, platform, run, task } from "./night-scene.ts";

// Nights as they come: 48 exports each, in Shanghai, reported at 07:00.

const ZONE = "Asia/Shanghai";
const DATE = "2026-11-28";
const MADE_AT_MS = momentOf(DATE, "07:00", ZONE);

/** A local time of the night, as ISO text in UTC. */
function local(time: string, date = time < "07:00" ? DATE : addDays(DATE, -1)): string {
  return new Date(momentOf(date, time, ZONE)).toISOString();
}

/** The id of export number `n`, as the platform makes them. */
export function idOf(n: number): string {
  return `5f2d9c3a1b2c3d4e5f6a${(0x7b00 + n).toString(16)}`;
}

/** Texts of somebody who means harm. */
export const HOSTILE = [
  `"><script>alert(1)</script>`,
  `' onmouseover='alert(1)`,
  `</title></style><img src=x onerror=alert(1)>`,
  "\u202egnp.exe\u2066 \u001b[31mred\u0007",
  "javascript:alert(1)//`$(reboot)`;rm -rf ~ 'quoted'",
  "<!--",
  "]]>",
  "עברית ومرحبا",
  `a${"\u0316".repeat(500)}`,
  "W".repeat(10_000),
];

function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

/** An export that was archived in the night, and deleted unless it is kept. */
function archivedLine(n: number, changes: Partial<NightLine> = {}): NightLine {
  const archivedAtMs = momentOf(addDays(DATE, -1), "22:01", ZONE) + n * 31_000;
  const isKept = changes.deletedAt === undefined && "deletedAt" in changes;
  const { deletedAt, ...rest } = changes;
  return {
    exportTaskId: idOf(n),
    revision: (0x0a1b2c00 + n).toString(16).padStart(8, "0"),
    createTime: local("20:00"),
    exportCount: 1_107 * n,
    key: `exports/project/default/2026/11/27/${idOf(n)}/${n}.zip`,
    sizeBytes: 1_380_000 * n,
    sha256: "0".repeat(64),
    archivedAt: new Date(archivedAtMs).toISOString(),
    batchTaskId: `fleet-${(n % 4) + 1}`,
    ...(isKept ? {} : { deletedAt: deletedAt ?? new Date(archivedAtMs + 4_000).toISOString() }),
    ...rest,
  };
}

function entries(lines: readonly NightLine[]): readonly TaskEntry[] {
  return lines.map(({ exportTaskId, revision, deletedAt, sizeBytes }) => ({
    exportTaskId,
    revision,
    sizeBytes,
    durationMs: 9_000,
    outcome: deletedAt === undefined ? "archived-kept" : "archived-deleted",
    ...(deletedAt === undefined ? { reason: "hold" } : {}),
  }));
}

function runs(tasks: readonly TaskEntry[], changes: Partial<RunReport> = {}): readonly RunReport[] {
  const first = tasks.slice(0, 27);
  const counts = (some: readonly TaskEntry[]) => ({
    ...emptyCounts(),
    archived: some.filter(({ outcome }) => outcome.startsWith("archived")).length,
    deleted: some.filter(({ outcome }) => outcome === "archived-deleted").length,
  });
  const second = tasks.slice(27);
  return [
    run({ tasks: first, counts: counts(first), stopReason: "time-budget" }, local("22:14")),
    run({ tasks: second, counts: counts(second), ...changes }, local("22:27")),
  ];
}

function earlier(changes: Readonly<Record<string, Partial<EarlierNight>>> = {}): readonly EarlierNight[] {
  return numbers(29).map((n) => {
    const date = addDays(DATE, n - 30);
    const made = 44 + ((n * 7) % 9);
    return {
      date,
      verdict: "ok",
      made,
      archived: made,
      givenUp: 0,
      held: 6 + ((n * 5) % 31),
      hasRetries: n % 8 === 3,
      streak: n + 31,
      lastRunAt: local("22:27", addDays(date, -1)),
      ...changes[date],
    };
  });
}

function inventory(changes: Partial<InventoryState> = {}): InventoryState {
  return {
    startedAt: local("05:20"),
    stopReason: "done",
    counts: { exports: 17_903, orphans: 0 },
    damage: [],
    unremoved: [],
    verification: {
      limitDays: 90,
      copies: 17_903,
      coldCopies: 212,
      checked: 199,
      damaged: 0,
      oldestUnreadDays: 81.4,
      isLimitKept: true,
    },
    ...changes,
  };
}

const LINES = numbers(48).map((n) => archivedLine(n, n > 46 ? { deletedAt: undefined } : {}));
const KEPT = numbers(2).map((n) => ({ ...task(idOf(46 + n), local("20:00")), exportTaskId: idOf(46 + n) }));

function sceneFacts(changes: Partial<NightFacts> = {}): NightFacts {
  return facts({
    scope: { projectId: "0c8a6f3e5d7b4a19b2c3d4e5f6a7b8c9", instanceId: undefined },
    timeZone: ZONE,
    date: DATE,
    madeAtMs: MADE_AT_MS,
    fromMs: momentOf(addDays(DATE, -1), "07:00", ZONE),
    lines: LINES,
    runs: runs(entries(LINES)),
    platform: seen([], KEPT),
    inventory: inventory(),
    deadLetters: 0,
    earlier: earlier(),
    ...changes,
  });
}

/** @param waiting exports without a copy; @param kept exports with one. */
function seen(
  waiting: readonly number[],
  kept: readonly ReturnType<typeof task>[],
  createTime = local("20:00"),
) {
  const tasks = waiting.map((n) => task(idOf(n), createTime));
  return platform(
    [...tasks, ...kept],
    kept.map(({ exportTaskId }) => exportTaskId),
  );
}

const FAILURE = {
  code: "store-full",
  message: "the store has no room left (put exports/0c8a6f3e…)",
  hint: "Raise the quota of the bucket, or remove what is not needed any more.",
};

const SCENES = {
  good: sceneFacts(),
  "given-up": sceneFacts({
    lines: LINES.slice(0, 46),
    runs: runs([
      ...entries(LINES.slice(0, 46)),
      { exportTaskId: idOf(47), outcome: "dead-lettered", reason: "export-failed", durationMs: 900 },
    ]),
    platform: platform([
      task(idOf(47), local("20:00"), { status: "Failed", resourceCondition: { task_id: "fleet-2" } }),
    ]),
    deadLetters: 1,
  }),
  damaged: sceneFacts({
    inventory: inventory({
      damage: [
        { exportTaskId: idOf(900), revision: "9f2234fa", kind: "changed", key: "exports/a/2026/08/02/x.zip" },
        { exportTaskId: idOf(901), revision: "0c1d77e2", kind: "missing", key: "exports/a/2026/08/03/y.zip" },
      ],
    }),
  }),
  missing: sceneFacts({
    lines: LINES.slice(0, 44),
    runs: runs(entries(LINES.slice(0, 44))),
    rules: [
      { name: "nightly fleet A", by: "06:00", every: "1d", atLeast: 4, when: { batchTaskId: "fleet-9" } },
      { name: "all", by: "06:00", every: "1d", atLeast: 40 },
    ],
  }),
  failing: sceneFacts({
    lines: [],
    runs: ["22:02", "22:17", "22:32"].map((time) =>
      run({ stopReason: "system-failure", failure: FAILURE, platform: { held: 20, limit: 50 } }, local(time)),
    ),
    platform: seen(numbers(20), []),
    earlier: earlier({ [addDays(DATE, -1)]: { made: 3 } }).map((one) => ({ ...one, made: 6, held: 8 })),
  }),
  pressure: sceneFacts({
    lines: LINES.slice(0, 12),
    runs: runs(entries(LINES.slice(0, 12)), { stopReason: "time-budget" }),
    platform: seen(
      numbers(35).map((n) => n + 100),
      numbers(12).map((n) => task(idOf(n), local("20:30"))),
    ),
    earlier: earlier().map((one, index) => ({ ...one, made: 9, held: 18 + index })),
    deletion: "never",
  }),
  "no-run": sceneFacts({
    lines: [],
    runs: [run({ stopReason: "drained" }, local("22:27", "2026-11-25"))],
    platform: seen(
      numbers(14).map((n) => n + 100),
      [],
      local("20:00", "2026-11-27"),
    ),
    earlier: earlier({
      [addDays(DATE, -1)]: { verdict: "none", archived: 0, made: 7, held: 7 },
    }).map((one) => ({ ...one, made: 7, lastRunAt: local("22:27", "2026-11-25") })),
    inventory: inventory({ startedAt: local("05:20", "2026-11-26") }),
  }),
  first: facts({
    scope: {
      projectId: "0c8a6f3e5d7b4a19b2c3d4e5f6a7b8c9",
      instanceId: "b3f1c2d4-9b7a-4e55-8a6c-2f1e0d9c8b7a",
    },
    timeZone: ZONE,
    date: DATE,
    madeAtMs: MADE_AT_MS,
    fromMs: momentOf(addDays(DATE, -1), "07:00", ZONE),
    deletion: "never",
    lines: numbers(3).map((n) => archivedLine(n, { deletedAt: undefined })),
    runs: [
      run(
        {
          tasks: numbers(3).map((n) => ({
            exportTaskId: idOf(n),
            revision: (0x0a1b2c00 + n).toString(16).padStart(8, "0"),
            outcome: "archived-kept",
            reason: "delete-disabled",
            durationMs: 9_000,
          })),
          counts: { ...emptyCounts(), archived: 3, kept: 3 },
        },
        local("22:03"),
      ),
    ],
    platform: seen(
      [],
      numbers(3).map((n) => task(idOf(n), local("20:00"))),
    ),
    earlier: [],
    rules: [],
  }),
  "on-hold": sceneFacts({
    lines: LINES.slice(0, 12).map((line) =>
      archivedLine(Number(line.key.match(/(\d+)\.zip$/)?.[1]), { deletedAt: undefined }),
    ),
    runs: runs(entries(LINES.slice(0, 12).map(({ deletedAt: _deleted, ...line }) => line))),
    platform: seen(
      [],
      numbers(12).map((n) => task(idOf(n), local("20:00"))),
    ),
    earlier: earlier().map((one) => ({ ...one, made: 12, held: 14 })),
  }),
} as const satisfies Record<string, NightFacts>;

export type SceneName = keyof typeof SCENES;

/** The names of the nine scenes. */
export const SCENE_NAMES = Object.keys(SCENES) as readonly SceneName[];

/** The night of a scene. */
export function scene(name: SceneName): Night {
  return nightOf(SCENES[name]);
}

/** A night in which everything that comes from outside is this text. */
export function hostileScene(text: string): Night {
  const base = scene("given-up");
  const failure = { code: text, message: text, hint: text };
  return {
    ...base,
    projectId: text,
    instanceId: text,
    endpoint: text,
    verdict: "look",
    findings: EVERY_FINDING.map((finding) => withText(finding, text)),
    keptFor: { [text]: 2 },
    exports: base.exports.slice(0, 8).map((one) => ({
      ...one,
      exportTaskId: text,
      revision: text,
      reason: text,
      batchTaskId: text,
    })),
    runs: base.runs.map((one) => ({ ...one, runId: text, stopReason: text, failureCode: text })),
    unknown: { platform: failure, queue: failure },
  };
}

/** The finding with this text in the place of each of its own, but for what decides on the words. */
function withText(finding: Finding, text: string): Finding {
  const own = Object.entries(finding).map(([name, value]) => [
    name,
    typeof value === "string" && name !== "kind" && name !== "damage" ? text : value,
  ]);
  const failure = "failure" in finding ? { failure: { code: text, message: text, hint: text } } : {};
  return { ...Object.fromEntries(own), ...failure } as Finding;
}
