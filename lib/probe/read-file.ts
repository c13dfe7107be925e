import { inflateRawSync } from "node:zlib";
import { formatBytes } from "../domain/format-bytes.ts";
import type { FileAnswer } from "../ports/platform-answers.ts";
import { answered, type Finding, refusalInWords, type Seen, withoutAnswer } from "./evidence.ts";

/** As much of a file as is read: the header of its first member, and the beginning of that. */
export const BEGINNING_BYTES = 64 * 1024;

const LOCAL_HEADER = Buffer.from([0x50, 0x4b, 0x03, 0x04]);
const LOCAL_HEADER_BYTES = 30;
const FLAG_ENCRYPTED = 1;
const STORED = 0;
const DEFLATED = 8;
/** Enough to tell formats apart. */
const LOOKED_AT_BYTES = 64;

const SIGNATURES: readonly (readonly [format: string, bytes: Buffer])[] = [
  ["true BIFF (OLE2)", Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1])],
  ["a ZIP, as `xlsx` is", LOCAL_HEADER],
  ["HTML", Buffer.from("<html")],
  ["XML", Buffer.from("<?xml")],
];

/** Headers that say how a file may be asked for or proved; their values say nothing more. */
const ASKED_HEADERS = [
  ["Content-Length", "content-length"],
  ["Content-Disposition", "content-disposition"],
  ["ETag", "etag"],
  ["Content-MD5", "content-md5"],
  ["Accept-Ranges", "accept-ranges"],
] as const;
/** A media type, a coding or a unit: never an id, a name or a key. */
const PLAIN_VALUE = /^(?:[a-z]{1,20}|[a-z]{1,20}\/[a-z0-9.+-]{1,60}(?:; ?charset=[a-z0-9-]{1,20})?)$/i;

/** `file-headers`: which headers a file comes with. */
export function readFileHeaders({ files }: Seen): Finding {
  const { finished } = files;
  if (finished.kind !== "told") {
    return withoutAnswer(finished);
  }
  const { headers } = finished.value;
  const present = ASKED_HEADERS.filter(([, name]) => headers.has(name)).map(([title]) => title);
  const absent = ASKED_HEADERS.filter(([, name]) => !headers.has(name)).map(([title]) => title);
  const named = (names: readonly string[]) => (names.length === 0 ? "none" : names.join(", "));
  const values = (["content-type", "transfer-encoding", "accept-ranges"] as const)
    .map((name) => [name, headers.get(name)] as const)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name} \`${plain(value)}\``]));
  return answered(
    [
      `Present: ${named(present)}. Absent: ${named(absent)}.`,
      values.length === 0 ? "" : ` Values: ${values.join(", ")}.`,
      lengthInWords(finished.value),
    ].join(""),
  );
}

function plain(value: string): string {
  return PLAIN_VALUE.test(value) ? value : "(not a plain value)";
}

/** Where the whole body was read, whether the declared length is true. */
function lengthInWords({ headers, beginning, isWhole }: FileAnswer): string {
  const declared = headers.get("content-length");
  if (declared === undefined || !isWhole) {
    return "";
  }
  const isTrue = declared === String(beginning.byteLength);
  return isTrue ? " The length is that of the body." : " The length is not that of the body.";
}

/** `redirect`: whether the file comes directly. */
export function readRedirect({ files: { finished } }: Seen): Finding {
  if (finished.kind === "told") {
    return answered("No. The file came directly, with status 200.");
  }
  const isRedirect =
    finished.kind === "refused" && finished.refusal.httpStatus >= 300 && finished.refusal.httpStatus < 400;
  return isRedirect
    ? answered(`Yes: ${refusalInWords(finished.refusal)}. The program refuses it.`)
    : withoutAnswer(finished);
}

/** `payload`: what lies in the ZIP. */
export function readPayload({ files: { finished } }: Seen): Finding {
  if (finished.kind !== "told") {
    return withoutAnswer(finished);
  }
  const { beginning, isWhole } = finished.value;
  const size = isWhole
    ? `The file has ${formatBytes(beginning.byteLength)}.`
    : `The file has more than ${formatBytes(BEGINNING_BYTES)}.`;
  const member = firstMember(Buffer.from(beginning));
  if (member === undefined) {
    const format = formatOf(Buffer.from(beginning));
    return answered(`No ZIP member begins the file. What begins it is ${format}. ${size}`);
  }
  const { extension, encryption, method, content } = member;
  const format = content === undefined ? "of a kind that the probe could not read" : formatOf(content);
  const name =
    extension === undefined
      ? "The name of the first member has no extension"
      : `The first member is a \`.${extension}\``;
  return answered(`${name}, ${method}, ${encryption}. What begins it is ${format}. ${size}`);
}

interface FirstMember {
  /** Of its name, of which nothing else is shown: it may hold ids. */
  readonly extension: string | undefined;
  readonly encryption: "encrypted" | "not encrypted";
  readonly method: string;
  /** Its first bytes; `undefined` where they cannot be read. */
  readonly content: Buffer | undefined;
}

/** The member that a ZIP begins with; `undefined` where the bytes begin with none, or end within its header. */
function firstMember(bytes: Buffer): FirstMember | undefined {
  if (!bytes.subarray(0, 4).equals(LOCAL_HEADER) || bytes.length < LOCAL_HEADER_BYTES) {
    return undefined;
  }
  const isEncrypted = (bytes.readUInt16LE(6) & FLAG_ENCRYPTED) !== 0;
  const method = bytes.readUInt16LE(8);
  const nameEnd = LOCAL_HEADER_BYTES + bytes.readUInt16LE(26);
  const dataStart = nameEnd + bytes.readUInt16LE(28);
  const name = bytes.toString("utf8", LOCAL_HEADER_BYTES, nameEnd);
  const [, extension] = /\.([A-Za-z0-9]{1,8})$/.exec(name) ?? [];
  const data = bytes.subarray(dataStart);
  return {
    extension,
    encryption: isEncrypted ? "encrypted" : "not encrypted",
    method:
      method === STORED ? "stored" : method === DEFLATED ? "deflated" : `compressed by method ${method}`,
    content: isEncrypted || data.length === 0 ? undefined : contentOf(method, data),
  };
}

function contentOf(method: number, data: Buffer): Buffer | undefined {
  if (method === STORED) {
    return data.subarray(0, LOOKED_AT_BYTES);
  }
  return method === DEFLATED ? inflatedBeginning(data) : undefined;
}

/** The first bytes of a deflated member whose end may be missing. */
function inflatedBeginning(data: Buffer): Buffer | undefined {
  try {
    return inflateRawSync(data, { finishFlush: Z_SYNC_FLUSH, maxOutputLength: MAX_INFLATED_BYTES }).subarray(
      0,
      LOOKED_AT_BYTES,
    );
  } catch {
    // Damaged, or it grows beyond all measure: the answer says that it could not be read.
    return undefined;
  }
}

/** Takes what is there for all there is (`zlib.constants.Z_SYNC_FLUSH`). */
const Z_SYNC_FLUSH = 2;
/** Deflate makes at most 1,032 bytes of one. */
const MAX_INFLATED_BYTES = 1_032 * BEGINNING_BYTES;

function formatOf(bytes: Buffer): string {
  const known = SIGNATURES.find(([, signature]) => bytes.subarray(0, signature.length).equals(signature));
  if (known !== undefined) {
    return known[0];
  }
  if (bytes.length === 0) {
    return "nothing";
  }
  const isText = bytes
    .subarray(0, LOOKED_AT_BYTES)
    .every((byte) => byte >= 0x20 || (byte >= 9 && byte <= 13));
  return isText ? "text without a signature" : "of no known signature";
}
