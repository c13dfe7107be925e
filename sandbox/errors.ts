import { type Answer, jsonAnswer } from "./kit/answer.ts";

/** An error as the platform and the gateway in front of it write it (iotda-api §2.1). */
export function errorAnswer(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Answer {
  return { ...jsonAnswer(status, { error_code: code, error_msg: message }, headers), code };
}
