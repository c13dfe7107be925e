import { type Answer, bufferAnswer } from "../answer.ts";
import { xmlDocument } from "./xml.ts";

/** The codes this stand-in answers on its own, with their HTTP status (S3 API reference, "Error Responses"). */
const STATUS = {
  AccessDenied: 403,
  AuthorizationHeaderMalformed: 400,
  BadDigest: 400,
  ConditionalRequestConflict: 409,
  EntityTooLarge: 400,
  EntityTooSmall: 400,
  ExpiredToken: 400,
  IncompleteBody: 400,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidDigest: 400,
  InvalidObjectState: 403,
  InvalidPart: 400,
  InvalidPartOrder: 400,
  InvalidRange: 416,
  InvalidRequest: 400,
  InvalidToken: 400,
  KeyTooLongError: 400,
  MalformedXML: 400,
  MetadataTooLarge: 400,
  MethodNotAllowed: 405,
  MissingContentLength: 411,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NoSuchObjectLockConfiguration: 404,
  NoSuchTagSet: 404,
  NoSuchUpload: 404,
  NoSuchVersion: 404,
  NotImplemented: 501,
  NotModified: 304,
  ObjectLockConfigurationNotFoundError: 404,
  PreconditionFailed: 412,
  RequestTimeTooSkewed: 403,
  SignatureDoesNotMatch: 403,
  XAmzContentSHA256Mismatch: 400,
} as const;

export type S3ErrorCode = keyof typeof STATUS;

/** A refusal, thrown by the operations and answered as S3 writes errors. */
export class S3Refusal extends Error {
  override readonly name = "S3Refusal";
  readonly code: S3ErrorCode;

  constructor(code: S3ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The answer to a refused request. */
export function refusalAnswer(refusal: S3Refusal, resource: string): Answer {
  return errorAnswer(STATUS[refusal.code], refusal.code, refusal.message, resource);
}

/** An error under any status and code. */
export function errorAnswer(status: number, code: string, message: string, resource: string): Answer {
  const answer =
    status === 304
      ? bufferAnswer(status, Buffer.alloc(0), {})
      : bufferAnswer(status, errorBody(code, message, resource), { "Content-Type": "application/xml" });
  return { ...answer, code };
}

/** An `<Error>` document, as it also stands in the body of a completion that failed under status 200. */
export function errorBody(code: string, message: string, resource: string): Buffer {
  return xmlDocument({ Error: { Code: code, Message: message, Resource: resource } }, false);
}
