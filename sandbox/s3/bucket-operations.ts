import { type Answer, bufferAnswer } from "../answer.ts";
import { retentionInXml, tagsOf } from "./attributes.ts";
import { S3Refusal } from "./errors.ts";
import { type Exchange, header } from "./exchange.ts";
import { XML_TYPE } from "./multipart-operations.ts";
import { emptyAnswer, requireVersion } from "./object-operations.ts";
import { receiveDocument } from "./receive.ts";
import { elementsOf, textOf, xmlDocument } from "./xml.ts";

export function headBucket({ settings }: Exchange): Answer {
  return emptyAnswer(200, { "x-amz-bucket-region": settings.region });
}

export function getBucketLocation({ settings }: Exchange): Answer {
  // The first region has no name here.
  const location = settings.region === "us-east-1" ? "" : settings.region;
  return bufferAnswer(200, xmlDocument({ LocationConstraint: location }), XML_TYPE);
}

export function getBucketVersioning({ bucketSettings }: Exchange): Answer {
  const status = bucketSettings.versioning ? { Status: "Enabled" } : {};
  return bufferAnswer(200, xmlDocument({ VersioningConfiguration: status }), XML_TYPE);
}

export function getObjectLockConfiguration({ bucketSettings }: Exchange): Answer {
  const { objectLock } = bucketSettings;
  if (objectLock === undefined) {
    throw new S3Refusal(
      "ObjectLockConfigurationNotFoundError",
      "Object Lock configuration does not exist for this bucket",
    );
  }
  const rule = objectLock.defaultRetention;
  const content = {
    ObjectLockEnabled: "Enabled",
    ...(rule && { Rule: { DefaultRetention: { Mode: rule.mode, Days: rule.days } } }),
  };
  return bufferAnswer(200, xmlDocument({ ObjectLockConfiguration: content }), XML_TYPE);
}

export async function putObjectRetention(exchange: Exchange): Promise<Answer> {
  const retention = retentionInXml(await receiveDocument(exchange), exchange.bucketSettings);
  if (retention.untilMs <= exchange.nowMs) {
    throw new S3Refusal("InvalidArgument", "The retain until date must be in the future!");
  }
  const version = requireVersion(exchange);
  const { retention: before } = version;
  const weaker =
    before !== undefined && (retention.untilMs < before.untilMs || retention.mode !== before.mode);
  const bypass = header(exchange, "x-amz-bypass-governance-retention") === "true";
  if (weaker && before.untilMs > exchange.nowMs && !(bypass && before.mode === "GOVERNANCE")) {
    throw new S3Refusal("AccessDenied", "Access Denied because object protected by object lock.");
  }
  version.retention = retention;
  return emptyAnswer(200, {});
}

export function getObjectRetention(exchange: Exchange): Answer {
  const { retention } = requireVersion(exchange);
  if (exchange.bucketSettings.objectLock === undefined) {
    throw new S3Refusal("InvalidRequest", "Bucket is missing Object Lock Configuration");
  }
  if (retention === undefined) {
    throw new S3Refusal("NoSuchObjectLockConfiguration", "The specified object has no retention");
  }
  const content = { Mode: retention.mode, RetainUntilDate: new Date(retention.untilMs).toISOString() };
  return bufferAnswer(200, xmlDocument({ Retention: content }), XML_TYPE);
}

export async function putObjectTagging(exchange: Exchange): Promise<Answer> {
  const xml = await receiveDocument(exchange);
  if (!xml.includes("<Tagging")) {
    throw new S3Refusal("MalformedXML", "The XML you provided was not well-formed or did not validate");
  }
  const pairs = elementsOf(xml, "Tag").map(
    (tag) => [textOf(tag, "Key") ?? "", textOf(tag, "Value") ?? ""] as const,
  );
  requireVersion(exchange).tags = tagsOf(pairs);
  return emptyAnswer(200, {});
}

export function getObjectTagging(exchange: Exchange): Answer {
  const tags = Object.entries(requireVersion(exchange).tags);
  if (tags.length === 0 && exchange.settings.noTags === "no-such-tag-set") {
    throw new S3Refusal("NoSuchTagSet", "The TagSet does not exist");
  }
  const content = { TagSet: { Tag: tags.map(([Key, Value]) => ({ Key, Value })) } };
  return bufferAnswer(200, xmlDocument({ Tagging: content }), XML_TYPE);
}
