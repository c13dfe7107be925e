import { SqsQueue } from "../queue/sqs-queue.ts";
import { S3Store } from "../store/s3/s3-store.ts";
import type * as lateAdapters from "./sdk-adapters.ts";
import * as secretReader from "./secret-reader.ts";

// sdk-adapters.ts for functions, which load the SDK anyway. Of what is imported at once esbuild leaves out what is never
// called: 40 KB of a function.

export const loadS3Store: typeof lateAdapters.loadS3Store = async () => S3Store;

export const loadSqsQueue: typeof lateAdapters.loadSqsQueue = async () => SqsQueue;

export const loadSecretReader: typeof lateAdapters.loadSecretReader = async () => secretReader;
