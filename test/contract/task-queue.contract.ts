import { describe, expect, onTestFinished, test } from "vitest";
import type { TaskMessage } from "../../lib/domain/task-message.ts";
import type {
  DeadLetter,
  DeadLetterQueue,
  HeldDeadLetter,
  ReceivedMessage,
  TaskQueue,
} from "../../lib/ports/task-queue.ts";
import { encodeMessage } from "../../lib/queue/message-codec.ts";

export interface QueueUnderTest {
  readonly queue: TaskQueue & DeadLetterQueue;
  /** The same queue, as another runner sees it. */
  readonly other: TaskQueue & DeadLetterQueue;
  readonly visibilityMs: number;
  /** Lets time pass for the queue. */
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
}

/** What not every queue can promise. */
export interface QueueTraits {
  /** Messages are received in the order in which they were sent. */
  readonly ordered: boolean;
  /** A late acknowledgement of a message that somebody else holds is refused (SQS says yes to it). */
  readonly refusesLateAcknowledgement: boolean;
}

const signal = new AbortController().signal;
const NOW = { signal, delayMs: 0 };

const letter: DeadLetter = {
  body: "task-1",
  reason: "export-failed",
  detail: "The platform says that the export failed.",
  attempts: 3,
  runId: "20261122T010000000Z-0a1b2c3d",
};

/** Every sentence of lib/ports/task-queue.ts, as a test. */
export function describeTaskQueue(
  name: string,
  makeQueue: () => Promise<QueueUnderTest>,
  traits: QueueTraits = { ordered: true, refusesLateAcknowledgement: true },
): void {
  async function open(): Promise<QueueUnderTest> {
    const made = await makeQueue();
    onTestFinished(() => made.close());
    return made;
  }

  describe(`task queue: ${name}`, () => {
    describe("sending and receiving", () => {
      test("an empty queue has nothing", async () => {
        const { queue } = await open();
        expect(await queue.receive({ signal })).toBeUndefined();
      });

      test("a message arrives as it was sent", async () => {
        const { queue, other, visibilityMs } = await open();
        const message: TaskMessage = {
          exportTaskId: "task-1",
          attempts: 2,
          requestedAtMs: Date.parse("2026-11-22T01:00:00.123Z"),
          source: "discover",
          extra: { ticket: "Störung 7", nested: { list: [1, null] } },
        };
        await queue.send([message], NOW);
        const received = await mustReceive(other);
        expect(received.parsed).toEqual({ kind: "task", message });
        expect(received.body).toBe(encodeMessage(message));
        expect(received.receiveCount).toBe(1);
        expect(queue.visibilityMs).toBe(visibilityMs);
      });

      test("many messages all arrive, each once, in order where the queue keeps one", async () => {
        const { queue } = await open();
        const ids = Array.from({ length: 23 }, (_, index) => `task-${index}`);
        await queue.send(
          ids.map((exportTaskId) => ({ exportTaskId })),
          NOW,
        );
        const arrived = await receiveIds(queue, ids.length);
        expect(traits.ordered ? arrived : arrived.toSorted(byNumber)).toEqual(ids);
        expect(await queue.receive({ signal })).toBeUndefined();
      });

      test("sending no message sends nothing", async () => {
        const { queue } = await open();
        await queue.send([], NOW);
        expect(await queue.receive({ signal })).toBeUndefined();
      });

      test.each([
        "task-1",
        " { not json",
        '{"exportTaskId":"task-1","x":"\\u00e9 \\ud83d\\ude00"}',
        "a\tb\nc",
      ])("the raw body %j arrives as it is", async (body) => {
        const { queue } = await open();
        await queue.sendRaw(body, NOW);
        expect((await mustReceive(queue)).body).toBe(body);
      });

      test("an unreadable body is received and called unreadable", async () => {
        const { queue } = await open();
        await queue.sendRaw("no task at all!", NOW);
        expect((await mustReceive(queue)).parsed.kind).toBe("unreadable");
      });

      test("a delayed message stays hidden for the delay", async () => {
        const { queue, pass } = await open();
        await queue.send([{ exportTaskId: "late" }], { signal, delayMs: 2_000 });
        await queue.sendRaw("late-raw", { signal, delayMs: 2_000 });
        expect(await queue.receive({ signal })).toBeUndefined();
        await pass(2_100);
        expect((await receiveIds(queue, 2)).toSorted()).toEqual(["late", "late-raw"]);
      });
    });

    describe("visibility", () => {
      test("a received message is hidden from everybody until the timeout, then comes back with a new handle", async () => {
        const { queue, other, pass, visibilityMs } = await open();
        await queue.send([{ exportTaskId: "task-1" }], NOW);
        const first = await mustReceive(queue);
        expect(await other.receive({ signal })).toBeUndefined();
        await pass(visibilityMs + 100);
        const second = await mustReceive(other);
        expect(second.receiveCount).toBe(2);
        expect(second.handle).not.toBe(first.handle);
        expect(second.body).toBe(first.body);
      });

      test("renewing starts the timeout anew", async () => {
        const { queue, other, pass, visibilityMs } = await open();
        await queue.send([{ exportTaskId: "task-1" }], NOW);
        const received = await mustReceive(queue);
        await pass(visibilityMs * 0.6);
        await queue.renew(received, { signal });
        await pass(visibilityMs * 0.6);
        expect(await other.receive({ signal })).toBeUndefined();
        await pass(visibilityMs * 0.6);
        expect((await mustReceive(other)).receiveCount).toBe(2);
      });

      test("renewing is refused once the timeout ran out", async () => {
        const { queue, pass, visibilityMs } = await open();
        await queue.send([{ exportTaskId: "task-1" }], NOW);
        const received = await mustReceive(queue);
        await pass(visibilityMs + 100);
        await expectExpired(queue.renew(received, { signal }));
      });

      test("renewing is refused when somebody else holds the message, and takes nothing from them", async () => {
        const { queue, other, pass, visibilityMs } = await open();
        await queue.send([{ exportTaskId: "task-1" }], NOW);
        const lost = await mustReceive(queue);
        await pass(visibilityMs + 100);
        const held = await mustReceive(other);
        await expectExpired(queue.renew(lost, { signal }));
        await other.acknowledge(held, { signal });
      });

      test("two receivers at once never get the same message", async () => {
        const { queue, other } = await open();
        const ids = Array.from({ length: 20 }, (_, index) => `task-${index}`);
        await queue.send(
          ids.map((exportTaskId) => ({ exportTaskId })),
          NOW,
        );
        const halves = await Promise.all([receiveIds(queue, 10), receiveIds(other, 10)]);
        expect(halves.flat().toSorted(byNumber)).toEqual(ids);
      });
    });

    describe("acknowledging", () => {
      test("removes the message for good, and no other", async () => {
        const { queue, pass, visibilityMs } = await open();
        await queue.send([{ exportTaskId: "task-1" }, { exportTaskId: "task-2" }], NOW);
        const settled = await mustReceive(queue);
        const kept = await mustReceive(queue);
        await queue.acknowledge(settled, { signal });
        await pass(visibilityMs + 100);
        expect((await mustReceive(queue)).body).toBe(kept.body);
        expect(await queue.receive({ signal })).toBeUndefined();
      });

      test.runIf(traits.refusesLateAcknowledgement)(
        "is refused when somebody else holds the message, which stays theirs",
        async () => {
          const { queue, other, pass, visibilityMs } = await open();
          await queue.send([{ exportTaskId: "task-1" }], NOW);
          const lost = await mustReceive(queue);
          await pass(visibilityMs + 100);
          const held = await mustReceive(other);
          await expectExpired(queue.acknowledge(lost, { signal }));
          await other.renew(held, { signal });
        },
      );
    });

    describe("dead letters", () => {
      test("a letter is held with all it says, and the message it is about is not touched", async () => {
        const { queue, other, pass, visibilityMs } = await open();
        await queue.send([{ exportTaskId: "task-1" }], NOW);
        await mustReceive(queue);
        await queue.deadLetter(letter, { signal });
        const [held] = await other.listDeadLetters({ signal, limit: 10 });
        expect(held).toMatchObject(letter);
        await pass(visibilityMs + 100);
        expect((await mustReceive(queue)).receiveCount).toBe(2);
      });

      test("a letter keeps none of the message's progress, so that moving it back starts afresh", async () => {
        const { queue } = await open();
        const message = { exportTaskId: "task-1", source: "cli" as const };
        const body = JSON.stringify({
          ...message,
          attempts: 4,
          requestedAt: "2026-11-20T01:00:00.000Z",
          alone: true,
        });
        await queue.deadLetter({ ...letter, body }, { signal });
        await queue.redrive("all", { signal });
        const { parsed } = await mustReceive(queue);
        expect(parsed).toEqual({ kind: "task", message });
      });

      test("a repeated letter is held twice", async () => {
        const { queue } = await open();
        await queue.deadLetter(letter, { signal });
        await queue.deadLetter(letter, { signal });
        const held = await queue.listDeadLetters({ signal, limit: 10 });
        expect(held).toHaveLength(2);
        expect(new Set(held.map(({ id }) => id)).size).toBe(2);
      });

      test("listing stops at the limit and changes nothing", async () => {
        const { queue } = await open();
        for (const body of ["a", "b", "c"]) {
          await queue.deadLetter({ ...letter, body }, { signal });
        }
        expect(await queue.listDeadLetters({ signal, limit: 2 })).toHaveLength(2);
        expect(await queue.listDeadLetters({ signal, limit: 10 })).toHaveLength(3);
      });

      test("moving one back sends its body and removes the letter, and no other", async () => {
        const { queue } = await open();
        await queue.deadLetter({ ...letter, body: "stays" }, { signal });
        await queue.deadLetter({ ...letter, body: "moves" }, { signal });
        const held = await queue.listDeadLetters({ signal, limit: 10 });
        const id = held.find(({ body }) => body === "moves")?.id ?? "";
        const moved = await queue.redrive([id], { signal });
        expect(moved.map(({ body }) => body)).toEqual(["moves"]);
        expect(await receiveIds(queue, 1)).toEqual(["moves"]);
        const left = await queue.listDeadLetters({ signal, limit: 10 });
        expect(left.map(({ body }) => body)).toEqual(["stays"]);
      });

      test("moving all back moves all, as fresh messages", async () => {
        const { queue } = await open();
        for (const body of ["a", "b", "c"]) {
          await queue.deadLetter({ ...letter, body }, { signal });
        }
        expect(await queue.redrive("all", { signal })).toHaveLength(3);
        expect((await receiveIds(queue, 3)).toSorted()).toEqual(["a", "b", "c"]);
        expect(await queue.listDeadLetters({ signal, limit: 10 })).toEqual([]);
      });

      test("an export task's id moves every letter about it back, whatever the form of its body", async () => {
        const { queue } = await open();
        for (const body of ["task-1", '{"exportTaskId":"task-1","source":"cli"}', "task-2", "no task"]) {
          await queue.deadLetter({ ...letter, body }, { signal });
        }
        expect(await queue.redrive(["task-1", "task-1"], { signal })).toHaveLength(2);
        expect(await receiveIds(queue, 2)).toEqual(["task-1", "task-1"]);
        const left = await queue.listDeadLetters({ signal, limit: 10 });
        expect(left.map(({ body }) => body).toSorted()).toEqual(["no task", "task-2"]);
      });

      test("a letter is noted before it is dismissed, by its id or its export task's", async () => {
        const { queue } = await open();
        for (const body of ["task-1", "task-1", "task-2", "no task"]) {
          await queue.deadLetter({ ...letter, body }, { signal });
        }
        const held = await queue.listDeadLetters({ signal, limit: 10 });
        const odd = held.find(({ body }) => body === "no task");
        const noted: HeldDeadLetter[] = [];
        const note = async (one: HeldDeadLetter) => {
          const { deadLetters } = await queue.depth({ signal });
          expect(deadLetters).toBe(4 - noted.length);
          noted.push(one);
        };
        const dismissed = await queue.dismiss(["task-1", odd?.id ?? "", "4711"], note, { signal });
        expect(dismissed.map(({ body }) => body).toSorted()).toEqual(["no task", "task-1", "task-1"]);
        expect(noted).toEqual(dismissed);
        expect(await queue.listDeadLetters({ signal, limit: 10 })).toMatchObject([{ body: "task-2" }]);
        expect(await queue.receive({ signal })).toBeUndefined();
      });

      test("a letter that could not be noted stays", async () => {
        const { queue, pass } = await open();
        await queue.deadLetter({ ...letter, body: "task-1" }, { signal });
        const full = new Error("the disk is full");
        await expect(queue.dismiss(["task-1"], () => Promise.reject(full), { signal })).rejects.toBe(full);
        await pass(31_000);
        expect(await queue.listDeadLetters({ signal, limit: 10 })).toMatchObject([{ body: "task-1" }]);
      });

      test("an id that is not held is left out", async () => {
        const { queue } = await open();
        await queue.deadLetter(letter, { signal });
        expect(await queue.redrive(["4711", "no such id", "-1"], { signal })).toEqual([]);
        expect(await queue.listDeadLetters({ signal, limit: 10 })).toHaveLength(1);
      });
    });

    test("the depth counts what is ready, delayed, in flight and dead", async () => {
      const { queue, other } = await open();
      await queue.send([{ exportTaskId: "a" }, { exportTaskId: "b" }, { exportTaskId: "c" }], NOW);
      await queue.send([{ exportTaskId: "late" }], { signal, delayMs: 60_000 });
      await mustReceive(queue);
      await queue.deadLetter(letter, { signal });
      expect(await other.depth({ signal })).toMatchObject({
        ready: 2,
        delayed: 1,
        inFlight: 1,
        deadLetters: 1,
      });
    });

    test("every call rejects with the reason of a signal that is already aborted, and does nothing", async () => {
      const { queue } = await open();
      await queue.send([{ exportTaskId: "task-1" }], NOW);
      const received = await mustReceive(queue);
      await queue.deadLetter(letter, { signal });
      const before = await queue.depth({ signal });
      const reason = new Error("the operator pressed Ctrl-C");
      const aborted = { signal: AbortSignal.abort(reason), delayMs: 0, limit: 1 };
      const calls: readonly (() => Promise<unknown>)[] = [
        () => queue.receive(aborted),
        () => queue.renew(received, aborted),
        () => queue.send([{ exportTaskId: "x" }], aborted),
        () => queue.sendRaw("x", aborted),
        () => queue.acknowledge(received, aborted),
        () => queue.deadLetter(letter, aborted),
        () => queue.depth(aborted),
        () => queue.listDeadLetters(aborted),
        () => queue.redrive("all", aborted),
        () => queue.dismiss(["task-1"], () => Promise.reject(new Error("noted")), aborted),
      ];
      for (const call of calls) {
        await expect(call()).rejects.toBe(reason);
      }
      expect(await queue.depth({ signal })).toEqual(before);
    });

    test("a long poll that waits rejects with the reason as soon as it is aborted", async () => {
      const { queue } = await open();
      const controller = new AbortController();
      const reason = new Error("time is up");
      const waiting = queue.receive({ signal: controller.signal });
      controller.abort(reason);
      await expect(waiting).rejects.toBe(reason);
    });
  });
}

async function mustReceive(queue: TaskQueue): Promise<ReceivedMessage> {
  const received = await queue.receive({ signal });
  if (received === undefined) {
    throw new Error("the queue showed no message");
  }
  return received;
}

async function receiveIds(queue: TaskQueue, count: number): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) {
    const { parsed } = await mustReceive(queue);
    ids.push(parsed.kind === "task" ? parsed.message.exportTaskId : parsed.problem);
  }
  return ids;
}

async function expectExpired(call: Promise<void>): Promise<void> {
  await expect(call).rejects.toMatchObject({
    code: "queue-handle-expired",
    hint: expect.stringMatching(/\w/),
  });
}

function byNumber(left: string, right: string): number {
  return Number(left.replace(/\D/g, "")) - Number(right.replace(/\D/g, ""));
}
