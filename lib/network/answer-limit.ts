import { pipeline, Readable, Transform } from "node:stream";
import { formatBytes } from "../domain/format-bytes.ts";

/** An answer that is longer than anything its service says; it was not read further. */
export class AnswerTooLongError extends Error {
  override readonly name = "AnswerTooLongError";
  readonly maxBytes: number;

  constructor(maxBytes: number) {
    super(`an answer of more than ${formatBytes(maxBytes)}`);
    this.maxBytes = maxBytes;
  }
}

/** Where {@link answerLimit} belongs in a client of the AWS SDK: next to the wire. */
export const ANSWER_LIMIT_PLACE = {
  step: "deserialize",
  priority: "low",
  name: "archiverAnswerLimit",
} as const;

/**
 * A middleware of the AWS SDK that bounds the answers which a client reads into memory before it looks at them: all,
 * but for those of a `streamed` command under a status of success. A longer one ends the call with
 * {@link AnswerTooLongError}, and its connection.
 */
export function answerLimit(maxBytes: number, streamed: ReadonlySet<string> = new Set()) {
  return <Args, Result extends { readonly response: unknown }>(
    next: (args: Args) => Promise<Result>,
    { commandName = "" }: { readonly commandName?: string },
  ) =>
    async (args: Args): Promise<Result> => {
      const result = await next(args);
      const { response } = result;
      if (hasBody(response) && !(streamed.has(commandName) && response.statusCode < 300)) {
        response.body = limited(response.body, maxBytes);
      }
      return result;
    };
}

function hasBody(response: unknown): response is { statusCode: number; body: Readable } {
  return (
    typeof response === "object" &&
    response !== null &&
    "statusCode" in response &&
    typeof response.statusCode === "number" &&
    "body" in response &&
    response.body instanceof Readable
  );
}

/** The same bytes, as far as the limit. */
function limited(body: Readable, maxBytes: number): Readable {
  let bytes = 0;
  const passed = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        done(new AnswerTooLongError(maxBytes));
      } else {
        done(null, chunk);
      }
    },
  });
  // Whoever reads `passed` meets its failures there, and those of the body.
  return pipeline(body, passed, () => undefined);
}
