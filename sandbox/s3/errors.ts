import { type Answer, bufferAnswer, emptyAnswer } from "../kit/answer.ts";
import { XML_TYPE, xmlDocument } from "./xml.ts";

/**
 * The codes that this stand-in answers on its own (S3 API reference, "Error Responses"): the HTTP status, and the
 * message of those that have one meaning.
 */
const ERRORS = {
  AccessDenied: [403],
  AuthorizationHeaderMalformed: [400],
  BadDigest: [400],
  ConditionalRequestConflict: [409],
  EntityTooLarge: [400],
  EntityTooSmall: [400, "Your proposed upload is smaller than the minimum allowed size"],
  ExpiredToken: [400, "The provided token has expired."],
  IncompleteBody: [400],
  InternalError: [500],
  InvalidAccessKeyId: [403, "The access key id you provided does not exist."],
  InvalidArgument: [400],
  InvalidDigest: [400, "The Content-MD5 you specified is not valid."],
  InvalidObjectState: [403, "The operation is not valid for the object's storage class"],
  InvalidPart: [
    400,
    "One or more of the specified parts could not be found, or its entity tag or checksum does not match.",
  ],
  InvalidPartOrder: [400, "The list of parts was not in ascending order."],
  InvalidRange: [416, "The requested range is not satisfiable"],
  InvalidRequest: [400],
  InvalidToken: [400, "The provided token is malformed or otherwise invalid."],
  KeyTooLongError: [400, "Your key is too long"],
  MalformedXML: [400, "The XML you provided was not well-formed or did not validate"],
  MetadataTooLarge: [400, "Your metadata headers exceed the maximum allowed metadata size"],
  MethodNotAllowed: [405, "The specified method is not allowed against a delete marker."],
  MissingContentLength: [411],
  NoSuchBucket: [404, "The specified bucket does not exist"],
  NoSuchKey: [404, "The specified key does not exist."],
  NoSuchLifecycleConfiguration: [404, "The lifecycle configuration does not exist"],
  NoSuchObjectLockConfiguration: [404, "The specified object has no retention"],
  NoSuchTagSet: [404, "The TagSet does not exist"],
  NoSuchUpload: [404, "The specified upload does not exist. It may have been aborted or completed."],
  NoSuchVersion: [404, "The specified version does not exist."],
  NotImplemented: [501],
  NotModified: [304, "Not Modified"],
  ObjectLockConfigurationNotFoundError: [404, "Object Lock configuration does not exist for this bucket"],
  PreconditionFailed: [412, "At least one of the preconditions did not hold"],
  RequestTimeTooSkewed: [403, "The difference between the request time and the current time is too large."],
  SignatureDoesNotMatch: [403],
  XAmzContentSHA256Mismatch: [
    400,
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
  ],
} satisfies Readonly<Record<string, readonly [status: number, message?: string]>>;

export type S3ErrorCode = keyof typeof ERRORS;

/** A refusal, thrown by the operations and answered as S3 writes errors. */
export class S3Refusal extends Error {
  override readonly name = "S3Refusal";
  readonly code: S3ErrorCode;

  constructor(code: S3ErrorCode, message: string = ERRORS[code][1] ?? code) {
    super(message);
    this.code = code;
  }
}

/** The answer to a refused request. */
export function refusalAnswer(refusal: S3Refusal, resource: string): Answer {
  return errorAnswer(ERRORS[refusal.code][0], refusal.code, refusal.message, resource);
}

/** An error under any status and code. */
export function errorAnswer(status: number, code: string, message: string, resource: string): Answer {
  const answer =
    status === 304 ? emptyAnswer(status) : bufferAnswer(status, errorBody(code, message, resource), XML_TYPE);
  return { ...answer, code };
}

/** An `<Error>` document, as it also stands in the body of a completion that failed under status 200. */
export function errorBody(code: string, message: string, resource: string): Buffer {
  return xmlDocument({ Error: { Code: code, Message: message, Resource: resource } }, false);
}
