// Usage: store-worker.ts {root} increment {times} | create {count} | hold-lock | upload {key} | churn {name}
import { createHash } from "node:crypto";
import { underLock } from "../../../lib/store/file-documents.ts";
import { FileRoot } from "../../../lib/store/file-root.ts";
import { FileStore } from "../../../lib/store/file-store.ts";
import { patientClock, realClock, realRandom } from "../clocks.ts";

const [rootFolder = "", task = "", argument = ""] = process.argv.slice(2);
const store = new FileStore(rootFolder, { clock: patientClock, random: realRandom });
const { signal } = new AbortController();

async function increment(times: number): Promise<void> {
  for (let done = 0; done < times; ) {
    const document = await store.getDocument("state/counter.json", { signal });
    const condition =
      document === undefined
        ? ({ kind: "if-absent" } as const)
        : ({ kind: "if-match", etag: document.etag } as const);
    const next = String(Number(document?.text ?? 0) + 1);
    if ((await store.putDocument("state/counter.json", next, condition, { signal })) !== "conflict") {
      done += 1;
    }
  }
}

/** Says the number of each document that this process created. */
async function create(count: number): Promise<void> {
  for (let number = 0; number < count; number += 1) {
    const key = `records/${number}.json`;
    const written = await store.putDocument(key, String(process.pid), { kind: "if-absent" }, { signal });
    if (written !== "conflict") {
      console.log(`${number} ${process.pid}`);
    }
  }
}

async function holdLock(): Promise<void> {
  const root = new FileRoot(rootFolder, { clock: realClock, random: realRandom });
  const hold = async () => {
    console.log("held");
    await realClock.sleep(600_000);
  };
  await underLock(root, hold, signal);
}

async function upload(key: string): Promise<void> {
  const open = await store.openUpload(key, { metadata: {}, expectedSizeBytes: undefined, signal });
  await open.write(Buffer.alloc(100_000));
  console.log("written");
  await realClock.sleep(600_000);
}

/** Archives small objects and rewrites a document for ever; says the key of each object that is complete. */
async function churn(name: string): Promise<void> {
  for (let number = 0; ; number += 1) {
    const key = `exports/${name}/${number}.zip`;
    const body = Buffer.from(key.repeat(1_000));
    const open = await store.openUpload(key, { metadata: {}, expectedSizeBytes: body.length, signal });
    await open.write(body.subarray(0, 5_000));
    await open.write(body.subarray(5_000));
    const sha256 = createHash("sha256").update(body).digest("hex");
    await open.complete({ sizeBytes: body.length, sha256 });
    console.log(key);
    await store.putDocument("state/last.json", JSON.stringify({ key }), { kind: "always" }, { signal });
    await store.putDocument(
      `records/${name}/${number}.json`,
      JSON.stringify({ key }),
      { kind: "if-absent" },
      { signal },
    );
  }
}

switch (task) {
  case "increment":
    await increment(Number(argument));
    break;
  case "create":
    await create(Number(argument));
    break;
  case "hold-lock":
    await holdLock();
    break;
  case "upload":
    await upload(argument);
    break;
  case "churn":
    await churn(argument);
    break;
  default:
    throw new Error(`unknown task ${task}`);
}
