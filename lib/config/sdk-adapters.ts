// The adapters that bring the AWS SDK with them. It takes a good part of a start to load, and many commands need none of
// it: they load it when they do. The functions' build takes sdk-adapters-at-once.ts instead of this file.

export async function loadS3Store() {
  return (await import("../store/s3/s3-store.ts")).S3Store;
}

export async function loadSqsQueue() {
  return (await import("../queue/sqs-queue.ts")).SqsQueue;
}

export async function loadSecretReader() {
  return await import("./secret-reader.ts");
}
