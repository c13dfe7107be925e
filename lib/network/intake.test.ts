import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, Socket } from "node:net";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { INTAKE_BYTES, Intake } from "./intake.ts";
import { startTls, trustTestCertificate } from "./testing/tls-server.ts";
import { listenOnLoopback } from "./testing/tunnel-proxy.ts";
import { dial } from "./tunnel.ts";

beforeAll(trustTestCertificate);

const { signal } = new AbortController();

/** What Node and the other side do: bytes are written where the intake says, unless it said stop and did not resume. */
class ByHand extends Socket {
  readonly intake = new Intake();
  isReading = true;
  largestRoomBytes = 0;
  #room: Uint8Array;
  #next = 0;

  constructor() {
    super();
    this.#room = this.#ask();
    this.intake.attach(this);
  }

  override resume(): this {
    this.isReading = true;
    return this;
  }

  /** One read of at most this many bytes, each one more than the last. */
  receive(sizeBytes: number): void {
    const bytes = Math.min(sizeBytes, this.#room.length);
    for (let at = 0; at < bytes; at += 1) {
      this.#room[at] = this.#next;
      this.#next = (this.#next + 1) % 251;
    }
    this.isReading = this.intake.onread.callback(bytes, this.#room);
    this.#room = this.#ask();
  }

  #ask(): Uint8Array {
    const { buffer } = this.intake.onread;
    const room = typeof buffer === "function" ? buffer() : buffer;
    this.largestRoomBytes = Math.max(this.largestRoomBytes, room.length);
    expect(room.length).toBeGreaterThan(0);
    return room;
  }
}

/** Every byte is one more than the last: how many are right from the beginning. */
function rightFrom(first: number, bytes: Uint8Array): number {
  const wrongAt = bytes.findIndex((byte, at) => byte !== (first + at) % 251);
  return wrongAt === -1 ? bytes.length : wrongAt;
}

const read = fc.record({ kind: fc.constant("read" as const), bytes: fc.constant(0) });
const receive = fc.record({
  kind: fc.constantFrom("receive" as const, "after-stop" as const),
  bytes: fc.oneof(fc.integer({ min: 1, max: 16_384 }), fc.integer({ min: 1, max: INTAKE_BYTES })),
});

/** A reader that takes a chunk when it is told to, and keeps it until it is told again. */
class SlowReader {
  readonly #intake: Intake;
  #held: Uint8Array = new Uint8Array();
  #heldFrom = 0;
  #isWaiting = false;

  constructor(intake: Intake) {
    this.#intake = intake;
  }

  readNext(): void {
    if (!this.#isWaiting) {
      this.#isWaiting = true;
      this.#heldFrom += this.#held.length;
      this.#held = new Uint8Array();
      void this.#intake.read().then((bytes = new Uint8Array()) => {
        this.#held = bytes;
        this.#isWaiting = false;
      });
    }
  }

  expectRightBytes(): void {
    expect(rightFrom(this.#heldFrom % 251, this.#held)).toBe(this.#held.length);
  }
}

test("whatever the pace, every byte comes once and stays until the next read", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(read, receive), { minLength: 10, maxLength: 60 }), async (steps) => {
      const socket = new ByHand();
      expect(socket.intake.divert()).toBe(true);
      const reader = new SlowReader(socket.intake);
      let lateBytes = 0;
      for (const { kind, bytes } of steps) {
        if (kind === "read") {
          reader.readNext();
        } else if (socket.isReading) {
          socket.receive(bytes);
          lateBytes = 0;
        } else if (kind === "after-stop" && lateBytes + bytes <= 65_536) {
          // As TLS does with what it had read before it was stopped.
          socket.receive(bytes);
          lateBytes += bytes;
        }
        await new Promise((resolve) => setImmediate(resolve));
        reader.expectRightBytes();
      }
      expect(socket.largestRoomBytes).toBeLessThanOrEqual(INTAKE_BYTES);
    }),
    { numRuns: 60 },
  );
});

test("a reader that is busy stops the socket, and the next read lets it go on", async () => {
  const socket = new ByHand();
  socket.intake.divert();
  const first = socket.intake.read();
  socket.receive(1000);
  expect((await first)?.length).toBe(1000);
  let receivedBytes = 0;
  while (socket.isReading) {
    socket.receive(10_000);
    receivedBytes += 10_000;
    expect(receivedBytes).toBeLessThan(2 * INTAKE_BYTES);
  }
  let readBytes = 0;
  while (readBytes < receivedBytes) {
    const chunk = await socket.intake.read();
    expect(chunk?.length).toBeGreaterThan(0);
    readBytes += chunk?.length ?? 0;
  }
  expect(readBytes).toBe(receivedBytes);
  expect(socket.isReading).toBe(true);
});

test("a read that leaves the other half full does not let it go on", async () => {
  const socket = new ByHand();
  socket.intake.divert();
  const first = socket.intake.read();
  for (const bytes of [1000, 150_000, 150_000]) {
    expect(socket.isReading).toBe(true);
    socket.receive(bytes);
  }
  expect((await first)?.length).toBe(1000);
  expect(socket.isReading).toBe(false);
  expect((await socket.intake.read())?.length).toBe(150_000);
  expect(socket.isReading).toBe(false);
  expect((await socket.intake.read())?.length).toBe(150_000);
  expect(socket.isReading).toBe(true);
});

test("more than can come after a stop is kept all the same", async () => {
  const socket = new ByHand();
  socket.intake.divert();
  for (let count = 0; count < 100; count += 1) {
    socket.receive(16_384);
  }
  let readBytes = 0;
  let next = 0;
  while (readBytes < 100 * 16_384) {
    const chunk = (await socket.intake.read()) ?? new Uint8Array();
    expect(chunk.length).toBeGreaterThan(0);
    expect(rightFrom(next, chunk)).toBe(chunk.length);
    next = (next + chunk.length) % 251;
    readBytes += chunk.length;
  }
});

test("nothing is diverted while the stream holds bytes, nor without a socket of its own", () => {
  const socket = new ByHand();
  socket.receive(10);
  expect(socket.intake.divert()).toBe(false);
  expect(socket.read()).toEqual(Buffer.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
  expect(socket.intake.divert()).toBe(true);
  expect(new Intake().divert()).toBe(false);
});

describe.each([
  ["TCP", "http", async (take: (socket: Socket) => void) => await listenOnLoopback(createServer(take))],
  ["TLS", "https", async (take: (socket: Socket) => void) => await startTls(take)],
] as const)("over %s", (_, protocol, start) => {
  test("a slow reader gets every byte, and then the end", async () => {
    const file = randomBytes(3_000_000);
    const server = await start((socket) => void socket.end(file));
    const intake = new Intake();
    const target = new URL(`${protocol}://localhost:${server.port}`);
    const socket = await dial(target, { proxy: undefined, signal, intake });
    expect(intake.divert()).toBe(true);
    const hash = createHash("sha256");
    for (let chunk = await intake.read(); chunk !== undefined; chunk = await intake.read()) {
      // What comes meanwhile must not change what was given.
      await new Promise((resolve) => setImmediate(resolve));
      expect(chunk.length).toBeGreaterThan(0);
      hash.update(chunk);
    }
    expect(hash.digest("hex")).toBe(createHash("sha256").update(file).digest("hex"));
    expect(await intake.read()).toBeUndefined();
    socket.destroy();
  });

  test("a socket that fails rejects the read that waits, and every later one", async () => {
    const server = await start(() => undefined);
    const intake = new Intake();
    const target = new URL(`${protocol}://localhost:${server.port}`);
    const socket = await dial(target, { proxy: undefined, signal, intake });
    intake.divert();
    const waiting = intake.read();
    const closed = once(socket, "close");
    socket.destroy(new Error("broken"));
    await expect(waiting).rejects.toThrow("broken");
    await expect(intake.read()).rejects.toThrow("broken");
    await closed.catch(() => undefined);
  });
});
