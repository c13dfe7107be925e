// What brings the AWS SDK with it is loaded when the first message goes to a topic. The functions' build takes
// sdk-adapters-at-once.ts instead of this file.

export async function loadPublish() {
  return (await import("./topic.ts")).publish;
}
