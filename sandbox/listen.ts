import type { Server } from "node:http";

/** Listens on loopback; resolves when the server takes connections. */
export async function listen(server: Server, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  // Loopback only: the control needs no signature.
  server.listen(port, "127.0.0.1", resolve);
  await promise;
}
