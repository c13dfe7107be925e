import { describe, expect, test } from "vitest";
import type { HeldDeadLetter } from "../../lib/ports/task-queue.ts";
import { letter, mustReceive, NOW, type QueueUnderTest, receiveIds, signal } from "./queue-under-test.ts";

/** Every sentence about dead letters of lib/ports/task-queue.ts, as a test. @param open gives each test a queue. */
export function describeDeadLetters(open: () => Promise<QueueUnderTest>): void {
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
}
