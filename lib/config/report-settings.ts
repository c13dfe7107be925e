import * as v from "valibot";
import { isLoopback } from "../network/loopback.ts";
import { isTimeZone } from "../report/zoned-time.ts";
import { optional, withDefault } from "./section.ts";
import { documentLocation, oneOf, serviceUrl } from "./value-schemas.ts";

const timeZone = v.pipe(
  v.string(),
  v.maxLength(64, "is longer than the name of any time zone"),
  v.check(isTimeZone, "is not the name of a time zone that this machine knows"),
);

/** People follow the link, so it has no slash at its end, whatever the setting has. */
const pageUrl = v.pipe(
  serviceUrl,
  v.check(
    ({ protocol, hostname }) => protocol === "https:" || isLoopback(hostname),
    "begins with http://, which is for loopback only",
  ),
  v.transform(({ href }) => href.replace(/\/+$/, "")),
);

/** How a night is judged and shown. */
export const report = v.object({
  timeZone: withDefault("ARCHIVER_TIME_ZONE", timeZone, "UTC", {
    meaning: "time zone of reports and expected exports, by its IANA name such as `Asia/Shanghai`",
    example: "an IANA name such as Asia/Shanghai, Europe/Berlin or UTC",
  }),
  expect: optional("ARCHIVER_EXPECT", documentLocation, {
    meaning:
      "exports that each night must have: JSON text, `file:///absolute/file.json`, or `store:key` below the prefix",
    example: '{"rules":[{"name":"nightly","by":"06:00"}]}, file:///absolute/file.json or store:expected.json',
  }),
  language: withDefault("ARCHIVER_LANGUAGE", oneOf(["en", "zh"]), "en", {
    meaning: "language of reports and messages: `en` or `zh`",
    example: "en or zh",
  }),
  url: optional("ARCHIVER_REPORT_URL", pageUrl, {
    meaning:
      "address under which people reach `reports/`, for the link in messages; `http://` only on loopback",
    example: "the https:// address of the store's prefix, as people open it",
  }),
});
