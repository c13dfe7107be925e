import { expect, test } from "vitest";
import type { Message } from "../../lib/ports/notifier.ts";
import { digestOf } from "../../lib/report/digest.ts";
import { type ReportedNight, reportNight } from "../../lib/report/report-night.ts";
import { scene as nightOfScene } from "../../lib/report/testing/scenes.ts";
import { storeError } from "../world/port-errors.ts";
import { NotifyScene, REFUSED } from "./notify-scene.ts";

const { signal } = new AbortController();
const NIGHT = nightOfScene("good");
const PATH = NIGHT.date.replaceAll("-", "/");
const TOLD = { outcome: "told", took: ["json a", "slack b"], untold: [] };
const FAILURE = expect.objectContaining({ code: "store-unavailable" });

interface Played {
  readonly reported: ReportedNight | "failed";
  readonly messages: readonly Message[];
}

async function report(scene: NotifyScene, isLatest = true): Promise<Played> {
  const messages: Message[] = [];
  const settings = { ...scene.settings, language: "en", url: "https://files.example.org/iotda" } as const;
  const [ending] = await scene.together([
    (ports) => {
      const { targets } = ports.notifier;
      const send: typeof ports.notifier.send = async (target, message, options) => {
        await ports.notifier.send(target, message, options);
        messages.push(message);
      };
      const told = { ...ports, notifier: { targets, send } };
      return reportNight(told, settings, { night: NIGHT, isLatest }, { signal });
    },
  ]);
  const isOver = ending !== undefined && ending !== "failed" && ending.kind === "finished";
  return { reported: isOver ? ending.value : "failed", messages };
}

test("the newest night is stored, its page at two places, then told with a link to its own page", async () => {
  const scene = new NotifyScene();
  const { reported, messages } = await report(scene);
  expect(reported).toEqual({
    dayKey: `reports/${PATH}.html`,
    pageKey: "reports/latest.html",
    told: TOLD,
  });
  expect(scene.world.store.keysUnder("reports/").toSorted()).toEqual(
    [`reports/${PATH}.html`, `reports/${PATH}.json`, "reports/latest.html", "reports/owner.json"].toSorted(),
  );
  const digest = digestOf(NIGHT, "en", `https://files.example.org/iotda/${PATH}.html`);
  expect(messages).toEqual(scene.targets.map(() => ({ kind: "night", ...digest })));
});

test("a night that is over for longer is stored, and told to no target", async () => {
  const scene = new NotifyScene();
  const { reported, messages } = await report(scene, false);
  expect(reported).toEqual({ dayKey: `reports/${PATH}.html`, pageKey: `reports/${PATH}.html` });
  expect(scene.world.store.keysUnder("reports/")).not.toContain("reports/latest.html");
  expect(messages).toEqual([]);
});

test("a report is made whether or not a target takes the message", async () => {
  const scene = new NotifyScene();
  scene.world.faults.plant({ site: "notifier.send", form: "not-done", error: REFUSED, occurrence: 1 });
  const { reported } = await report(scene);
  expect(reported).toMatchObject({
    pageKey: "reports/latest.html",
    told: { outcome: "told", untold: [{ failure: { code: "notify-refused" } }] },
  });
});

test("a report is made when the store keeps its night from being told, and names all who were to hear", async () => {
  const scene = new NotifyScene();
  const error = storeError("store-unavailable");
  const isNote = ({ subject }: { readonly subject?: string }) =>
    subject?.startsWith("notifications/") === true;
  scene.world.faults.plant({ site: "store.putDocument", form: "not-done", error, match: isNote });
  const { reported, messages } = await report(scene);
  expect(reported).toMatchObject({
    pageKey: "reports/latest.html",
    told: {
      outcome: "failed",
      untold: scene.targets.map((target) => ({ target, failure: FAILURE })),
    },
  });
  expect(messages).toEqual([]);
});

test("a night whose page cannot be stored is told to no target", async () => {
  const scene = new NotifyScene();
  const error = storeError("store-unavailable");
  scene.world.faults.plant({ site: "store.putDocument", form: "not-done", error });
  expect(await report(scene)).toEqual({ reported: "failed", messages: [] });
});
