import { failedAttempt } from "./errors.ts";
import type { sendMail as sendBySmtp } from "./mail.ts";

/**
 * Stands in functions for mail by SMTP (build.ts): SNS sends their mails.
 *
 * @throws {NotifyError} always.
 */
export const sendMail: typeof sendBySmtp = async () => {
  throw failedAttempt({
    fate: "never",
    code: "notify-refused",
    problem: "is a mail address, and functions send no mail by SMTP",
    hint: "Subscribe the address to a topic of SNS, and name the topic instead: sns:ARN.",
  }).error;
};
