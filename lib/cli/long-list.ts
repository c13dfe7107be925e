import { deflateRawSync, inflateRawSync } from "node:zlib";
import { jsonText } from "./output.ts";

/** So much text is compressed at a time. */
const BLOCK_CHARACTERS = 512 * 1024;

/**
 * A list of a JSON document with one entry for each export of an archive. A document is shown when all of it is known, so
 * that a command that fails shows no half of one. Until then the entries are kept as compressed text: 200,000 of them
 * take 10 MiB instead of 300.
 */
export class LongList {
  /** Of the field of the document. */
  readonly name: string;
  readonly #blocks: Buffer[] = [];
  #texts: string[] = [];
  #characters = 0;

  constructor(name: string) {
    this.name = name;
  }

  add(entry: object): void {
    const text = jsonText(entry);
    this.#texts.push(text);
    this.#characters += text.length;
    if (this.#characters >= BLOCK_CHARACTERS) {
      this.#blocks.push(deflateRawSync(this.#takeText(), { level: 1 }));
    }
  }

  /** The entries as JSON, one on a line, with what stands between them. */
  *parts(): Generator<string> {
    const last = this.#takeText();
    const isLastEmpty = last === "";
    for (const [index, block] of this.#blocks.entries()) {
      const isEnd = isLastEmpty && index === this.#blocks.length - 1;
      yield `${inflateRawSync(block).toString("utf8")}${isEnd ? "" : ","}\n`;
    }
    if (!isLastEmpty) {
      yield `${last}\n`;
    }
  }

  #takeText(): string {
    const text = this.#texts.map((entry) => `    ${entry}`).join(",\n");
    this.#texts = [];
    this.#characters = 0;
    return text;
  }
}
