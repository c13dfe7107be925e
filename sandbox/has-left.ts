/** The client closed the connection: its right, and no failure of the server. */
export function hasLeft(thrown: unknown): boolean {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  return ["ECONNRESET", "ECANCELED", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE"].includes(String(code));
}
