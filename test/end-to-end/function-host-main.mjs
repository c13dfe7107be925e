// A Lambda-like host in a process of its own: calls the built functions it is told to, and says what came of it.
const [, , folder] = process.argv;

process.on("message", async ({ name, event, timeLeftMs, context }) => {
  const { handler } = await import(`${folder}/${name}.mjs`);
  const endsAtMs = performance.now() + timeLeftMs;
  // Fractions too: nothing says that a host tells whole milliseconds.
  const getRemainingTimeInMillis = () => Math.max(0, endsAtMs - performance.now());
  const answer = await handler(event, { ...context, getRemainingTimeInMillis }).then(
    (returned) => ({ returned }),
    (error) => ({ thrown: String(error?.message) }),
  );
  process.send({ ...answer, leftMs: endsAtMs - performance.now(), residentBytes: process.memoryUsage.rss() });
});
