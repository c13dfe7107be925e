import { type ExportTask, parsePlatformTime } from "../domain/export-task.ts";
import { answered, type Finding, notAsked, refusalInWords, type Seen, withoutAnswer } from "./evidence.ts";

const DAY_MS = 86_400_000;
const MAX_FORMATS = 4;
/** Digits and the signs of a time: whatever else stands there is not shown. */
const TIME_SHAPE = /^[0-9TZ:.+ -]{8,40}$/;

/** `marker`: whether the list's marker is an export task id. */
export function readMarker({ page }: Seen): Finding {
  if (page.kind !== "told") {
    return withoutAnswer(page);
  }
  const { marker, lastExportTaskId } = page.value;
  if (lastExportTaskId === undefined) {
    return notAsked("the list is empty, so no marker could be compared");
  }
  if (marker === undefined) {
    return answered("The answer has no marker.");
  }
  const shape = `The marker is ${shapeOf(marker)}, the id ${shapeOf(lastExportTaskId)}.`;
  return answered(
    marker === lastExportTaskId
      ? `Yes. The marker is the id of the last task of the page. ${shape}`
      : `No. The marker is not the id of the last task of the page. ${shape}`,
  );
}

function shapeOf(id: string): string {
  return `${id.length} ${/^[0-9a-f]+$/.test(id) ? "hex digits" : "characters"}`;
}

/** `end-time`: whether a task that runs has an end time. */
export function readRunningEndTime({ running }: Seen): Finding {
  if (running.length === 0) {
    return notAsked("no task was seen as `Processing`");
  }
  // Several lists show the same task.
  const sightings = new Map(running.map((task) => [`${task.exportTaskId} ${formOf(task)}`, formOf(task)]));
  const forms = [...sightings.values()];
  const counts = (["absent", "null", "present"] as const)
    .map((form) => [form, forms.filter((one) => one === form).length] as const)
    .filter(([, count]) => count > 0)
    .map(([form, count]) => `${form} in ${count}`);
  return answered(`Of ${forms.length} tasks seen as \`Processing\`, \`end_time\` is ${counts.join(", ")}.`);
}

function formOf({ source }: ExportTask): "absent" | "null" | "present" {
  return !Object.hasOwn(source, "end_time") ? "absent" : source.end_time === null ? "null" : "present";
}

/** `create-time`: the format of the times, and whether they have milliseconds. */
export function readCreateTime({ list, created }: Seen): Finding {
  const madeNow = created.kind === "told" ? (created.value.listed ?? created.value.answered) : undefined;
  const tasks = [...list.tasks, ...(madeNow === undefined ? [] : [madeNow])];
  const times = tasks.flatMap(({ createTime, endTime }) => [createTime, endTime]).filter(isText);
  if (times.length === 0) {
    return notAsked("no task was listed that has a time");
  }
  const formats = [...new Set(times.map(formatOfTime))].slice(0, MAX_FORMATS);
  const withMilliseconds = times.filter((time) => /\.\d*[1-9]/.test(time)).length;
  return answered(
    [
      `Formats seen: ${formats.map((format) => `\`${format}\``).join(", ")}.`,
      ` Of ${times.length} times, ${withMilliseconds} have milliseconds other than 0.`,
      created.kind === "told" ? skewInWords(madeNow, created.value.platformMs) : "",
    ].join(""),
  );
}

function isText(time: string | undefined): time is string {
  return time !== undefined;
}

function formatOfTime(time: string): string {
  return TIME_SHAPE.test(time) ? time.replaceAll(/\d/g, "0") : "(no time)";
}

/** Whether `create_time` is in UTC: the create happened just after the platform told its own clock. */
function skewInWords(task: ExportTask | undefined, platformMs: number): string {
  const createdMs = parsePlatformTime(task?.createTime);
  if (createdMs === undefined) {
    return "";
  }
  const seconds = Math.round((createdMs - platformMs) / 1_000);
  return ` The create time of the probe's export is ${seconds} s after the platform's clock at the list before it.`;
}

/** `file-lifetime`: how old the oldest finished export is. */
export function readFileLifetime({ list }: Seen): Finding {
  const ended = list.tasks
    .filter(({ status }) => status === "Success")
    .map(({ endTime }) => parsePlatformTime(endTime))
    .filter((ms) => ms !== undefined);
  if (ended.length === 0) {
    return notAsked("no finished export with an end time was listed");
  }
  const days = Math.max(0, (list.platformMs - Math.min(...ended)) / DAY_MS);
  return answered(
    `At least ${days.toFixed(1)} days: the oldest of ${ended.length} finished exports ended then. A later probe may say more.`,
  );
}

/** `offset-code`: the code for an offset out of range. */
export function readOffsetCode({ beyondLastOffset: asked }: Seen): Finding {
  switch (asked.kind) {
    case "refused":
      return answered(`An offset of 501 is answered with ${refusalInWords(asked.refusal)}.`);
    case "told":
      return answered("None: an offset of 501 is accepted.");
    case "failed":
    case "not-asked":
      return withoutAnswer(asked);
  }
}
