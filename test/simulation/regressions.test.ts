import { expect, test } from "vitest";
import { playStory } from "./play-story.ts";
import { PLAIN_SETTINGS, type Story, storyOf, taskOf } from "./story.ts";

/** Stories that showed a defect, each with what was wrong. */
const REGRESSIONS: readonly (readonly [name: string, story: Story])[] = [
  [
    "a proxy's page in answer to the look for a hold is not a hold",
    storyOf({
      tasks: [taskOf("t1"), taskOf("t2", { status: "Failed" })],
      faults: [
        {
          kind: "call",
          fault: "store.getDocument/malformed answer/not done",
          occurrence: 4,
          times: 1,
          forever: false,
        },
      ],
    }),
  ],
  [
    "the second message of a task that kills its runner is judged, too (seed 1423)",
    storyOf({
      seed: 1423,
      runners: [
        { skewMs: 0, offsetMs: 0 },
        { skewMs: 0, offsetMs: 433 },
      ],
      queue: { receiveWindow: 2, duplicateFraction: 0, visibilityMs: 120_000 },
      settings: { ...PLAIN_SETTINGS, maxReceives: 3 },
      faultyMs: 3_000_000,
      tasks: [taskOf("t1"), taskOf("t2"), taskOf("t3"), taskOf("t4")],
      happenings: [{ kind: "send", atMs: 40_960, id: "t1" }],
      faults: [{ kind: "crash-loop", id: "t1" }],
    }),
  ],
  [
    "an upload whose opening is interrupted by the end of the run does not stay open (seed 92403)",
    storyOf({
      seed: 92_403,
      store: { createOnce: false, compareAndSwap: false, verification: "stored" },
      queue: { receiveWindow: 4, duplicateFraction: 0, visibilityMs: 120_000 },
      tasks: [
        taskOf("t1", { status: "Processing", processingMs: 885_000 }),
        taskOf("t2", { status: "Failed" }),
        taskOf("t3"),
      ],
      happenings: [{ kind: "remove", atMs: 64_567, id: "t3" }],
      faults: [{ kind: "call", fault: "queue.send/500/not done", occurrence: 1, times: 1, forever: false }],
    }),
  ],
  [
    "of two records read at once, one that fails does not let the run end before the other (seeds 306749, 321553)",
    storyOf({
      seed: 306_749,
      discovers: true,
      queue: { receiveWindow: 4, duplicateFraction: 0, visibilityMs: 30_000 },
      tasks: [taskOf("t1")],
      faultyMs: 2_400_000,
      faults: [
        {
          kind: "call",
          fault: "store.write/404 gateway/done, answer lost",
          occurrence: 4,
          times: 1,
          forever: false,
        },
        {
          kind: "call",
          fault: "store.getDocument/503/not done",
          occurrence: 5,
          times: 3,
          forever: false,
          id: "t1",
        },
        {
          kind: "call",
          fault: "store.write/too large/not done",
          occurrence: 1,
          times: 1,
          forever: false,
        },
      ],
    }),
  ],
  // The simulator's own fault: a delete that was written travelled on only when its sender did.
  [
    "a delete written before its runner stands still arrives before the file is overwritten (seed 683734)",
    storyOf({
      seed: 683_734,
      store: { createOnce: true, compareAndSwap: true, verification: "stored" },
      tasks: [taskOf("t1", { sent: 2 }), taskOf("t2")],
      happenings: [{ kind: "overwrite", atMs: 50_551, id: "t1", processingMs: 17_447 }],
      faultyMs: 2_400_000,
      faults: [
        {
          kind: "call",
          fault: "store.putDocument/501 not implemented/not done",
          occurrence: 6,
          times: 1,
          forever: false,
        },
        { kind: "freeze", wakeUp: 82, forMs: 1_200_000, runner: 0 },
        {
          kind: "call",
          fault: "platform.showExportTask/503/done, answer lost",
          occurrence: 1,
          times: 1,
          forever: false,
        },
      ],
    }),
  ],
  [
    "a delete written before its runner stands still arrives before a new export of its condition (seed 755106)",
    storyOf({
      seed: 755_106,
      store: { createOnce: false, compareAndSwap: false, verification: "read-back" },
      tasks: [taskOf("t1")],
      happenings: [{ kind: "create", atMs: 53_463, id: "n1", processingMs: 7_921, sameConditionAs: "t1" }],
      faultyMs: 2_400_000,
      faults: [{ kind: "freeze", wakeUp: 64, forMs: 1_200_000, runner: 0 }],
    }),
  ],
];

test.each(REGRESSIONS)("%s", async (_name, story) => {
  expect((await playStory(story)).violations).toEqual([]);
});
