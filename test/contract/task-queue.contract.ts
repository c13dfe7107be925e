import { describe, expect, onTestFinished, test } from "vitest";
import type { TaskMessage } from "../../lib/domain/task-message.ts";
import { encodeMessage } from "../../lib/queue/message-codec.ts";
import { describeDeadLetters } from "./dead-letter-queue.contract.ts";
import { letter, mustReceive, NOW, type QueueUnderTest, receiveIds, signal } from "./queue-under-test.ts";

/** What not every queue can promise. */
export interface QueueTraits {
  /** Messages are received in the order in which they were sent. */
  readonly ordered: boolean;
  /** A late acknowledgement of a message that somebody else holds is refused (SQS says yes to it). */
  readonly refusesLateAcknowledgement: boolean;
}

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
        await queue.sendBodies([body], NOW);
        expect((await mustReceive(queue)).body).toBe(body);
      });

      test("an unreadable body is received and called unreadable", async () => {
        const { queue } = await open();
        await queue.sendBodies(["no task at all!"], NOW);
        expect((await mustReceive(queue)).parsed.kind).toBe("unreadable");
      });

      test("a delayed message stays hidden for the delay", async () => {
        const { queue, pass } = await open();
        await queue.send([{ exportTaskId: "late" }], { signal, delayMs: 2_000 });
        await queue.sendBodies(["late-raw"], { signal, delayMs: 2_000 });
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

      test("renewing starts the timeout again", async () => {
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

    describe("putting another message in the place of one", () => {
      test("the successor comes, the message itself does not come back", async () => {
        const { queue, other, pass, visibilityMs } = await open();
        await queue.send([{ exportTaskId: "task-1" }], NOW);
        const successor: TaskMessage = { exportTaskId: "task-1", attempts: 1 };
        await queue.requeue(await mustReceive(queue), successor, NOW);
        const received = await mustReceive(other);
        expect(received).toMatchObject({ parsed: { kind: "task", message: successor }, receiveCount: 1 });
        await other.acknowledge(received, { signal });
        await pass(visibilityMs + 100);
        expect(await other.receive({ signal })).toBeUndefined();
      });

      test.each(["task-1", " { not json"])("%j that is released comes back as it was", async (body) => {
        const { queue, pass } = await open();
        await queue.sendBodies([body], NOW);
        await queue.release(await mustReceive(queue), { signal, delayMs: 2_000 });
        expect(await queue.receive({ signal })).toBeUndefined();
        await pass(2_100);
        expect(await mustReceive(queue)).toMatchObject({ body, receiveCount: 1 });
        expect(await queue.receive({ signal })).toBeUndefined();
      });

      test.runIf(traits.refusesLateAcknowledgement)(
        "is refused when another runner holds the message, which stays theirs",
        async () => {
          const { queue, other, pass, visibilityMs } = await open();
          await queue.send([{ exportTaskId: "task-1" }], NOW);
          const lost = await mustReceive(queue);
          await pass(visibilityMs + 100);
          const held = await mustReceive(other);
          await expectExpired(queue.requeue(lost, { exportTaskId: "task-1" }, NOW));
          await expectExpired(queue.release(lost, NOW));
          await other.renew(held, { signal });
        },
      );
    });

    describeDeadLetters(open);

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
        () => queue.sendBodies(["x"], aborted),
        () => queue.acknowledge(received, aborted),
        () => queue.requeue(received, { exportTaskId: "x" }, aborted),
        () => queue.release(received, aborted),
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

async function expectExpired(call: Promise<void>): Promise<void> {
  await expect(call).rejects.toMatchObject({
    code: "queue-handle-expired",
    hint: expect.stringMatching(/\w/),
  });
}

function byNumber(left: string, right: string): number {
  return Number(left.replace(/\D/g, "")) - Number(right.replace(/\D/g, ""));
}
