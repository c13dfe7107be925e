import type { LoggedRequest } from "../kit/request-log.ts";
import type { S3Operation } from "./routes.ts";

/** What the store logs of a request besides what every stand-in does, as it came over the wire. */
export interface S3RequestDetails {
  readonly operation: S3Operation | "unknown";
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly bucket?: string;
  readonly key?: string;
  readonly query: Readonly<Record<string, string>>;
  /** Lowercase names; all of them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the body was framed as aws-chunked, by what its headers say. */
  readonly awsChunked: boolean;
  /** Of the body as it came over the wire, framing included, and as far as it was read. */
  readonly bodyBytes: number;
  readonly bodySha256?: string;
}

/** One request to the store. */
export type S3LogEntry = LoggedRequest & S3RequestDetails;
