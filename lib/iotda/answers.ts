import * as v from "valibot";
import type { CallOptions } from "../ports/platform.ts";
import type {
  FileAnswer,
  FileAnswerOptions,
  ListPageAnswer,
  PlatformAnswers,
} from "../ports/platform-answers.ts";
import { type CallSpec, Calls } from "./calls.ts";
import { checkedId } from "./client.ts";
import { peekBody } from "./download.ts";
import { htmlInsteadOfFile, malformedAnswer } from "./errors.ts";
import { type Answer, headerOf } from "./exchange.ts";
import { PAGE_LIMIT } from "./list.ts";
import type { IotdaClientOptions } from "./options.ts";
import { parseListAnswer } from "./schemas.ts";

/** Each is sent once and limited as a whole: even of a file only the beginning is read. */
const ONCE = { totalTimeLimited: true, repeatWhenRefused: false } as const;
const LIST: CallSpec = { ...ONCE, name: "ListExportTasks", aboutTask: false };
const FILE: CallSpec = { ...ONCE, name: "ShowExportTask", aboutTask: true };

/** Headers that are shown. `Location` is none of them: it may hold a signed address. */
const SHOWN_HEADERS = [
  "accept-ranges",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-length",
  "content-md5",
  "content-type",
  "etag",
  "last-modified",
  "transfer-encoding",
] as const;

const idSchema = v.object({ export_task_id: v.string() });

/** The platform over HTTP, as one sees it who asks what it answers. */
export class IotdaAnswers implements PlatformAnswers {
  readonly #calls: Calls;

  /** @throws PlatformError `platform-misconfigured` for settings that can never work. */
  constructor(options: IotdaClientOptions) {
    this.#calls = new Calls(options);
  }

  async askForListPage(offset: number, { signal }: CallOptions): Promise<ListPageAnswer> {
    const query: [string, string][] = [
      ["limit", String(PAGE_LIMIT)],
      ["offset", String(offset)],
      ["resource_type", "BatchTask"],
    ];
    return await this.#calls.run(LIST, signal, async (call) => {
      const page = parseListAnswer(await call.readJson(await call.send({ method: "GET", query }, 200)));
      if (page === undefined) {
        throw malformedAnswer(LIST.name, "the answer is not a list of export tasks");
      }
      const last = v.safeParse(idSchema, page.items.at(-1));
      return {
        totalCount: page.totalCount,
        marker: page.marker,
        lastExportTaskId: last.success ? last.output.export_task_id : undefined,
      };
    });
  }

  async askForFile(exportTaskId: string, options: FileAnswerOptions): Promise<FileAnswer> {
    const subPath = `/${checkedId(FILE.name, exportTaskId)}/file`;
    return await this.#calls.run(FILE, options.signal, async (call) => {
      const answer = await call.send({ method: "GET", subPath }, 200, options.beforeRequest);
      const peeked = await call.exchange.guard(() => peekBody(answer.body));
      if (peeked.kind === "html") {
        throw htmlInsteadOfFile(FILE.name);
      }
      if (peeked.kind === "json") {
        call.refuseDisguised(answer, peeked.text);
      }
      call.succeeded();
      const read = await call.exchange.guard(() =>
        readBeginning(peeked.first, answer.body, options.maxBytes),
      );
      return { headers: shownHeaders(answer), ...read };
    });
  }

  /** Ends every call under way; resolves when their sockets are closed. */
  async close(): Promise<void> {
    await this.#calls.close();
  }
}

function shownHeaders(answer: Answer): ReadonlyMap<string, string> {
  return new Map(
    SHOWN_HEADERS.flatMap((name) => {
      const value = headerOf(answer, name);
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

async function readBeginning(
  first: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
  maxBytes: number,
): Promise<Pick<FileAnswer, "beginning" | "isWhole">> {
  const chunks = [...first];
  let sizeBytes = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  while (sizeBytes <= maxBytes) {
    const next = await rest.next();
    if (next.done === true) {
      return { beginning: Buffer.concat(chunks), isWhole: true };
    }
    chunks.push(next.value);
    sizeBytes += next.value.byteLength;
  }
  return { beginning: Buffer.concat(chunks).subarray(0, maxBytes), isWhole: false };
}
