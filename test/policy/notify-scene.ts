import { NotifyError } from "../../lib/ports/notifier.ts";
import type { Finding, Night } from "../../lib/report/night.ts";
import type { NotifyPorts } from "../../lib/report/notification-state.ts";
import { type NightTelling, type ToldNight, tellNight } from "../../lib/report/tell-night.ts";
import { type ToldUrgent, tellUrgent, type UrgentKind } from "../../lib/report/tell-urgent.ts";
import type { PlannedFault } from "../world/faults.ts";
import { storeError } from "../world/port-errors.ts";
import type { Ending } from "../world/runner-process.ts";
import { type Runner, World, type WorldOptions } from "../world/world.ts";

const LATENCY = { minMs: 5, maxMs: 60 };
export const REFUSED = new NotifyError({
  code: "notify-refused",
  problem: "the receiver refused the message",
  scope: "task",
  retry: "never",
  hint: "Made by the simulated world.",
});
export const DIGEST = { subject: "ACT · 1 export is lost on Thu", text: "1 waiting" };
const unavailable = storeError("store-unavailable");

/** What may happen at any one call of a runner, by how it is told. */
export const FAULTS_OF_A_CALL: readonly (readonly [string, PlannedFault])[] = [
  ["dies before a call", { site: "any", form: "crash", when: "before" }],
  ["dies after a call", { site: "any", form: "crash", when: "after" }],
  ["cannot read", { site: "store.getDocument", form: "not-done", error: unavailable }],
  ["cannot write", { site: "store.putDocument", form: "not-done", error: unavailable }],
  [
    "loses the answer of a write",
    { site: "store.putDocument", form: "done-answer-lost", error: unavailable },
  ],
  ["is told of a conflict with itself", { site: "store.putDocument", form: "done-says-conflict" }],
  ["is refused by a target", { site: "notifier.send", form: "not-done", error: REFUSED }],
  ["loses the answer of a target", { site: "notifier.send", form: "done-answer-lost", error: REFUSED }],
];

export const JUDGED: ReadonlySet<UrgentKind> = new Set(["loss-near", "lost", "damaged", "system-failing"]);
const { signal } = new AbortController();

/** A simulated store, and receivers that keep what they were told. */
export class NotifyScene {
  readonly world: World;
  readonly targets: readonly string[];
  /** What arrived, as `target: subject`. */
  readonly arrived: string[] = [];
  readonly settings: NightTelling;
  #runs = 0;

  constructor(targets: readonly string[] = ["json a", "slack b"], options: WorldOptions = {}) {
    this.world = new World(options);
    this.targets = targets;
    const { createOnce, compareAndSwap } = this.world.store.settings;
    const abilities = { createOnce, compareAndSwap };
    this.settings = { scope: this.world.scope, abilities, notifyOn: "every-night" };
  }

  ports({ process, store, clock, random }: Runner): NotifyPorts {
    return {
      store,
      clock,
      random,
      notifier: {
        targets: this.targets,
        send: (target, { subject }, options) =>
          process.outside({
            site: "notifier.send",
            subject: target,
            signal: options.signal,
            latency: LATENCY,
            effect: () => void this.arrived.push(`${target}: ${subject}`),
          }),
      },
    };
  }

  /** How often each target was told this. */
  countArrived(subject = DIGEST.subject): readonly number[] {
    return this.targets.map((target) => this.arrived.filter((one) => one === `${target}: ${subject}`).length);
  }

  runner(): Runner {
    this.#runs += 1;
    return this.world.startRunner(`run-${this.#runs}`);
  }

  /** One run's telling of a night; what the store throws ends it. */
  async night(
    night: Pick<Night, "date" | "verdict"> = { date: "2026-11-22", verdict: "act" },
    settings: Partial<NightTelling> = {},
  ): Promise<ToldNight["outcome"] | "crashed" | "failed"> {
    const [ending] = await this.together([
      (ports) => tellNight(ports, { ...this.settings, ...settings }, night, DIGEST, { signal }),
    ]);
    return outcomeOf(ending);
  }

  /** What a run tells at once. */
  async urgent(findings: readonly Finding[], judged = JUDGED): Promise<ToldUrgent | "crashed" | "failed"> {
    const [ending] = await this.together([(ports) => this.tellUrgent(ports, findings, judged)]);
    return ending === "failed" || ending === undefined
      ? "failed"
      : ending.kind === "finished"
        ? ending.value
        : "crashed";
  }

  tellUrgent(ports: NotifyPorts, findings: readonly Finding[], judged = JUDGED): Promise<ToldUrgent> {
    const digestOf = () => DIGEST;
    return tellUrgent(ports, this.settings, { findings, judged, digestOf }, { signal });
  }

  tellNight(ports: NotifyPorts): Promise<ToldNight> {
    return tellNight(ports, this.settings, { date: "2026-11-22", verdict: "act" }, DIGEST, { signal });
  }

  /** Several runners at the same time, each of which may die. */
  async together<T>(
    works: readonly ((ports: NotifyPorts) => Promise<T>)[],
  ): Promise<readonly (Ending<T> | "failed")[]> {
    const runners = works.map((work) => [this.runner(), work] as const);
    return await this.world.run(() =>
      Promise.all(
        runners.map(([runner, work]) =>
          runner.process.execute(() => work(this.ports(runner))).catch(() => "failed" as const),
        ),
      ),
    );
  }

  async wait(ms: number): Promise<void> {
    await this.world.run(() => this.world.clock.sleep(ms));
  }
}

function outcomeOf(ending: Ending<ToldNight> | "failed" | undefined) {
  if (ending === undefined || ending === "failed") {
    return "failed";
  }
  return ending.kind === "finished" ? ending.value.outcome : "crashed";
}
