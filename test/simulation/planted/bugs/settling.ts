import type { PlantedBug } from "../planted-bug.ts";

/** Bugs in what becomes of messages: acknowledgements, re-sends, hand-backs, dead letters. */
export const SETTLING_BUGS: readonly PlantedBug[] = [
  {
    name: "acknowledge before record",
    breaks: "The message is gone before its task is archived.",
    invariant: "I3",
    file: "lib/archive/worker-loop.ts",
    find: "const { facts, ...ending } = await archiveTask(attempt);",
    replace:
      "await this.run.ports.queue.acknowledge(leased.received, { signal: this.#stopping.signal });\nconst { facts, ...ending } = await archiveTask(attempt);",
  },
  {
    name: "acknowledge before the successor is sent",
    breaks: "A message that is to be tried again is removed before its successor is sent.",
    invariant: "I3",
    file: "lib/archive/leased-message.ts",
    find: "(options) =>\n    queue.requeue(leased.received, successor, { ...options, delayMs }),",
    replace:
      "async (options) => {\n    await queue.acknowledge(leased.received, options);\n    await queue.send([successor], { ...options, delayMs });\n  },",
  },
  {
    name: "acknowledge before the dead letter",
    breaks: "A message that is given up is removed before its letter is in the dead-letter queue.",
    invariant: "I3",
    file: "lib/archive/leased-message.ts",
    find: "await queue.deadLetter(letter, { ...options, about: leased.received });",
    replace: "await queue.acknowledge(leased.received, options);\nawait queue.deadLetter(letter, options);",
  },
  {
    name: "dead-letter record before the letter",
    breaks: "A death in between leaves a record that silences the message, and no letter.",
    invariant: "I3",
    file: "lib/archive/leased-message.ts",
    find: "await queue.deadLetter(letter, { ...options, about: leased.received });\n    const nowMs = clock.wallMs();\n    await run.records.writeDeadLetter(",
    replace:
      "const nowMs = clock.wallMs();\n    const record = (...facts) => run.records.writeDeadLetter(...facts).then(() => queue.deadLetter(letter, options));\n    await record(",
  },
  {
    name: "hand-back by visibility",
    breaks:
      "Each hand-back counts as a receive, so that a healthy message looks like one that kills its runners.",
    invariant: "I5",
    file: "lib/archive/leased-message.ts",
    find: "await settling(run, leased, (options) => run.ports.queue.release(leased.received, { ...options, delayMs }));",
    replace: "await leased.lease.release();",
  },
  {
    name: "alone flag dropped",
    breaks: "A message that kills every runner starts again each time it is isolated.",
    invariant: "I3",
    file: "lib/archive/receive-task.ts",
    find: "message: { ...message, requestedAtMs, alone: true }",
    replace: "message: { ...message, requestedAtMs }",
  },
  {
    name: "crash loop never ends",
    breaks: "A message that kills every runner is never given up.",
    invariant: "I3",
    file: "lib/archive/receive-task.ts",
    find: "if (alone && receiveCount >= CRASH_LOOP_RECEIVES) {",
    replace: "if (alone && receiveCount === undefined) {",
  },
  {
    name: "run's grace ignored",
    breaks: "A task may take the time that settling needs, and its run does not end in time.",
    invariant: "I8",
    file: "lib/archive/deadlines.ts",
    find: "leftMs - Math.min(MAX_GRACE_MS, leftMs / 3)",
    replace: "leftMs",
  },
  {
    name: "full run never asked for",
    breaks: "A file that is too slow for its time limit is cut again and again, without end.",
    invariant: "I3",
    file: "lib/archive/attempt.ts",
    find: "{ needsFullRun: true }",
    replace: "{}",
  },
];
