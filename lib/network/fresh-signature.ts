/**
 * The names under which services of AWS refuse a signature for its time, or that they also use for that, without the
 * `Exception` after them. The SDK itself repeats such a request only when the answer moved its idea of the time.
 */
const REFUSED_SIGNATURES: ReadonlySet<string> = new Set([
  "AuthFailure",
  "InvalidSignature",
  "RequestExpired",
  "RequestInTheFuture",
  "RequestTimeTooSkewed",
  "SignatureDoesNotMatch",
]);

/**
 * Sends a request, and once more with a fresh signature when its signature was refused: a single refusal says as
 * little about this machine's clock as one wrong front end does. Such a request had no effect.
 *
 * @param send signs with the time at which it is called.
 * @throws what `send` throws: of the second request, when there was one.
 */
export async function withFreshSignature<Output>(send: () => Promise<Output>): Promise<Output> {
  try {
    return await send();
  } catch (thrown) {
    if (!isRefusedSignature(thrown)) {
      throw thrown;
    }
    return await send();
  }
}

/** Also of an error that another library wrapped. */
function isRefusedSignature(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) {
    return false;
  }
  return REFUSED_SIGNATURES.has(thrown.name.replace(/Exception$/, "")) || isRefusedSignature(thrown.cause);
}
