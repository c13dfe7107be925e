import { describe, expect, test } from "vitest";
import type { CallOptions } from "../ports/platform.ts";
import type { DeadLetter, DeadLetterQueue, ReceivedMessage, TaskQueue } from "../ports/task-queue.ts";
import { ArchiveQueue } from "./archive-queue.ts";

type Queue = TaskQueue & DeadLetterQueue;

const { signal } = new AbortController();
const options: CallOptions = { signal };
const received: ReceivedMessage = {
  handle: "h",
  receiveCount: 1,
  body: "task-1",
  parsed: { kind: "task", message: { exportTaskId: "task-1" } },
};
const letter = { body: "task-1", reason: "unreadable", detail: "", attempts: 0, runId: "r" } as const;

/** Every method of the queue, called once. */
const CALLS: { readonly [Name in Exclude<keyof Queue, "visibilityMs">]: (queue: Queue) => Promise<unknown> } =
  {
    receive: (queue) => queue.receive(options),
    renew: (queue) => queue.renew(received, options),
    send: (queue) => queue.send([], { ...options, delayMs: 0 }),
    acknowledge: (queue) => queue.acknowledge(received, options),
    requeue: (queue) => queue.requeue(received, { exportTaskId: "task-1" }, { ...options, delayMs: 0 }),
    release: (queue) => queue.release(received, { ...options, delayMs: 0 }),
    deadLetter: (queue) => queue.deadLetter(letter, options),
    depth: (queue) => queue.depth(options),
    listDeadLetters: (queue) => queue.listDeadLetters({ ...options, limit: 1 }),
    redrive: (queue) => queue.redrive("all", options),
    dismiss: (queue) => queue.dismiss(["1"], async () => undefined, options),
  };

/** Notes in which order archive and queue are opened and asked. */
class Scene {
  readonly steps: string[] = [];
  archiveError: Error | undefined;
  openError: Error | undefined;
  readonly letters: DeadLetter[] = [];

  queue(): ArchiveQueue {
    return new ArchiveQueue({
      visibilityMs: 1_000,
      redact: (text) => text.replaceAll("planted", "[redacted]"),
      archive: async () => {
        this.steps.push("archive");
        this.#fail(this.archiveError);
      },
      open: async () => {
        this.steps.push("open");
        this.#fail(this.openError);
        return this.#opened();
      },
    });
  }

  #fail(error: Error | undefined): void {
    if (error !== undefined) {
      throw error;
    }
  }

  #opened(): Queue {
    const steps = this.steps;
    const noted = <T>(name: string, answer: T) => {
      return async () => {
        steps.push(name);
        return answer;
      };
    };
    return {
      visibilityMs: 1_000,
      receive: noted("receive", undefined),
      renew: noted("renew", undefined),
      send: noted("send", undefined),
      acknowledge: noted("acknowledge", undefined),
      requeue: noted("requeue", undefined),
      release: noted("release", undefined),
      deadLetter: async (letter) => {
        steps.push("deadLetter");
        this.letters.push(letter);
      },
      depth: noted("depth", { ready: 0, delayed: 0, inFlight: 0, deadLetters: 0, nextDueAtMs: undefined }),
      listDeadLetters: noted("listDeadLetters", []),
      redrive: noted("redrive", []),
      dismiss: noted("dismiss", []),
    };
  }
}

describe.each(Object.entries(CALLS))("%s", (name, call) => {
  test("opens the archive, then the queue", async () => {
    const scene = new Scene();
    await call(scene.queue());
    expect(scene.steps).toEqual(["archive", "open", name]);
  });

  test("touches no queue while the store is not the archive", async () => {
    const scene = new Scene();
    scene.archiveError = new Error("no-archive");
    await expect(call(scene.queue())).rejects.toBe(scene.archiveError);
    expect(scene.steps).toEqual(["archive"]);
  });
});

test("the queue is opened once, and again after it could not be", async () => {
  const scene = new Scene();
  const queue = scene.queue();
  scene.openError = new Error("queue-unavailable");
  await expect(queue.depth(options)).rejects.toBe(scene.openError);
  scene.openError = undefined;
  await Promise.all([queue.depth(options), queue.depth(options)]);
  expect(scene.steps.filter((step) => step === "open")).toHaveLength(2);
});

test("a dead letter keeps no secret that others have planted", async () => {
  const scene = new Scene();
  await scene.queue().deadLetter({ ...letter, body: "a planted", detail: "b planted" }, options);
  expect(scene.letters).toEqual([{ ...letter, body: "a [redacted]", detail: "b [redacted]" }]);
});
