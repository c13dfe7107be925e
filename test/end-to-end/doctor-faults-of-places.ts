import { chmod, rm, writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { LAB_ARCHIVE_ID, markerText } from "./archive-marker.ts";
import { type Fault, setting } from "./doctor-fault.ts";

const OTHER_ARCHIVE = "0d5c7f3e-1a2b-4c3d-8e9f-0a1b2c3d4e5f";

export const STORE_FAULTS: readonly Fault[] = [
  {
    fault: "archive.json is gone",
    check: "store-archive",
    status: "broken",
    remedy: "The disk may not be mounted.",
    put: (lab) => rm(`${lab.store.path}/archive.json`),
  },
  {
    fault: "archive.json is gone, and the queue lies in the archive",
    check: "store-archive",
    status: "broken",
    remedy: "The disk may not be mounted.",
    async put(lab) {
      await lab.writeSettings({ ARCHIVER_QUEUE: "store:", ARCHIVER_ARCHIVE_ID: LAB_ARCHIVE_ID });
      await rm(`${lab.store.path}/archive.json`);
    },
  },
  {
    fault: "the folder is gone",
    check: "store-archive",
    status: "broken",
    remedy: "The disk may not be mounted.",
    put: (lab) => rm(lab.store.path, { recursive: true }),
  },
  {
    fault: "another archive lies there",
    check: "store-archive",
    status: "broken",
    remedy: "iotda-archiver init --adopt",
    put: (lab) => writeFile(`${lab.store.path}/archive.json`, markerText(OTHER_ARCHIVE)),
  },
  setting("another archive is expected", { ARCHIVER_ARCHIVE_ID: OTHER_ARCHIVE }, [
    "store-archive",
    "broken",
    "ARCHIVER_ARCHIVE_ID",
  ]),
  {
    fault: "archive.json is damaged",
    check: "store-archive",
    status: "broken",
    remedy: "from a backup",
    put: (lab) => writeFile(`${lab.store.path}/archive.json`, "{"),
  },
  {
    fault: "everybody can change the archive",
    check: "store-folder",
    status: "hurts",
    remedy: "chmod o-w",
    put: (lab) => chmod(lab.store.path, 0o777),
  },
  {
    fault: "three nights do not fit onto the disk",
    check: "store-space",
    status: "hurts",
    remedy: "Free space",
    put: (lab) => lab.changeReport((report) => ({ ...report, bytes: 2 ** 50 })),
  },
];

export const QUEUE_FAULTS: readonly Fault[] = [
  {
    fault: "the queue file is damaged",
    check: "queue-use",
    status: "broken",
    remedy: "Point ARCHIVER_QUEUE to another file",
    put: (lab) => writeFile(lab.queue.path, "this was a database once ".repeat(1_000)),
  },
  {
    fault: "the queue file is a database of another program",
    check: "queue-use",
    status: "broken",
    remedy: "Point ARCHIVER_QUEUE to another file",
    async put(lab) {
      await rm(lab.queue.path);
      const database = new DatabaseSync(lab.queue.path);
      database.exec("CREATE TABLE theirs (id INTEGER)");
      database.close();
    },
  },
  {
    fault: "a dead letter waits",
    check: "queue-dead-letters",
    status: "hurts",
    remedy: "dead-letters list",
    put: (lab) => lab.queue.putLetter({ body: "export-09", reason: "max-attempts", detail: "it failed" }),
  },
  {
    fault: "a dead letter waits in the archive's own queue",
    check: "queue-dead-letters",
    status: "hurts",
    remedy: "dead-letters list",
    async put(lab) {
      await lab.writeSettings({ ARCHIVER_QUEUE: "store:" });
      await lab.writeStored("queue/dead-letters/export-09.json", {});
    },
  },
  {
    fault: "no run takes a message",
    check: "queue-age",
    status: "hurts",
    remedy: "iotda-archiver run",
    put: (lab) => lab.queue.put("export-09"),
  },
  setting("messages come back too soon", { ARCHIVER_VISIBILITY_MS: "5000" }, [
    "queue-visibility",
    "hurts",
    "ARCHIVER_VISIBILITY_MS to 120000",
  ]),
  setting("messages come back too late", { ARCHIVER_VISIBILITY_MS: "3600000" }, [
    "queue-visibility",
    "hurts",
    "ARCHIVER_VISIBILITY_MS to 120000",
  ]),
];
