import * as v from "valibot";
import { type ExportTrigger, TERMINAL_BATCH_STATUSES } from "../events/export-triggers.ts";
import { Secret } from "../observability/secret.ts";
import type { EventsConfiguration } from "./configuration.ts";
import type { PartReader } from "./parts.ts";

const STATUSES: ReadonlySet<string> = new Set(TERMINAL_BATCH_STATUSES);

const exportTrigger = v.pipe(
  v.string(),
  v.trim(),
  v.regex(/^([A-Za-z0-9_-]{1,64}):[A-Za-z]+$/, "is not a list of type:status, separated by commas"),
  v.transform((text) => {
    const [taskType = "", status = ""] = text.split(":");
    return { taskType, status };
  }),
  v.check<{ taskType: string; status: string }, string>(
    ({ status }) => STATUSES.has(status),
    `names a status that is not one of ${TERMINAL_BATCH_STATUSES.join(", ")}`,
  ),
  v.transform((trigger) => trigger as ExportTrigger),
);

/** `type:status,…` */
export const exportTriggers = v.pipe(
  v.string(),
  v.transform((text) => text.split(",")),
  v.array(exportTrigger),
  v.maxLength(100, "has more than 100 entries"),
);

/**
 * Anybody may try it over HTTP, so it is longer than other secrets have to be. An editor ends its file with a line
 * end, which no header can carry: it is not part of the secret.
 */
export const eventSecret = v.pipe(
  v.string(),
  v.trim(),
  v.regex(/^[\x21-\x7e]{16,1024}$/, "is not 16 to 1024 printable characters without spaces"),
  v.transform((text) => new Secret(text)),
);

/** Reads the part of events from outside; `undefined` when the problems noted leave none. */
export function readEvents(reader: PartReader): EventsConfiguration | undefined {
  const projectId = reader.required("ARCHIVER_IOTDA_PROJECT_ID");
  const { ARCHIVER_EXPORT_ON: exportOn, ARCHIVER_IOTDA_INSTANCE_ID: instanceId } = reader.values;
  return projectId === undefined || exportOn === undefined
    ? undefined
    : { scope: { projectId, instanceId }, secret: sourceOfSecret(reader), exportOn };
}

/** Notes two sources of the event secret, whether or not the command takes events. */
export function checkEventSecretSources(reader: PartReader): void {
  if (reader.isSet.has("ARCHIVER_EVENT_SECRET") && reader.isSet.has("ARCHIVER_EVENT_SECRET_ID")) {
    reader.note(
      "ARCHIVER_EVENT_SECRET_ID",
      "is set together with ARCHIVER_EVENT_SECRET: two sources of the same secret",
      "Remove one of them.",
    );
  }
}

function sourceOfSecret({ values }: PartReader): EventsConfiguration["secret"] {
  const { ARCHIVER_EVENT_SECRET: secret, ARCHIVER_EVENT_SECRET_ID: secretId } = values;
  if (secretId !== undefined) {
    return { kind: "kept", secretId };
  }
  return secret === undefined ? undefined : { kind: "static", secret };
}
