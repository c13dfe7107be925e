import { type Answer, emptyAnswer } from "../kit/answer.ts";
import { retentionInXml, tagsOf } from "./attributes.ts";
import { S3Refusal } from "./errors.ts";
import { type Exchange, header } from "./exchange.ts";
import { requireVersion } from "./object-operations.ts";
import { receiveDocument } from "./receive.ts";
import { elementsOf, textOf, xmlAnswer } from "./xml.ts";

export function headBucket({ settings }: Exchange): Answer {
  return emptyAnswer(200, { "x-amz-bucket-region": settings.region });
}

export function getBucketLocation({ settings }: Exchange): Answer {
  // The first region has no name here.
  const location = settings.region === "us-east-1" ? "" : settings.region;
  return xmlAnswer({ LocationConstraint: location });
}

export function getBucketVersioning({ bucketSettings }: Exchange): Answer {
  const { versioning, versioningSuspended } = bucketSettings;
  const status = versioning ? "Enabled" : versioningSuspended ? "Suspended" : undefined;
  return xmlAnswer({ VersioningConfiguration: { Status: status } });
}

export function getBucketLifecycleConfiguration({ bucketSettings }: Exchange): Answer {
  if (bucketSettings.lifecycle.length === 0) {
    throw new S3Refusal("NoSuchLifecycleConfiguration");
  }
  const rules = bucketSettings.lifecycle.map(({ id, status, prefix, tag, expireAfterDays }) => ({
    ID: id,
    Status: status,
    Filter:
      tag === undefined
        ? { Prefix: prefix }
        : { And: { Prefix: prefix, Tag: { Key: tag.key, Value: tag.value } } },
    Expiration: expireAfterDays === undefined ? undefined : { Days: expireAfterDays },
  }));
  return xmlAnswer({ LifecycleConfiguration: { Rule: rules } });
}

export function getObjectLockConfiguration({ bucketSettings }: Exchange): Answer {
  const { objectLock } = bucketSettings;
  if (objectLock === undefined) {
    throw new S3Refusal("ObjectLockConfigurationNotFoundError");
  }
  const rule = objectLock.defaultRetention;
  const content = {
    ObjectLockEnabled: "Enabled",
    ...(rule && { Rule: { DefaultRetention: { Mode: rule.mode, Days: rule.days } } }),
  };
  return xmlAnswer({ ObjectLockConfiguration: content });
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
  return emptyAnswer(200);
}

export function getObjectRetention(exchange: Exchange): Answer {
  const { retention } = requireVersion(exchange);
  if (exchange.bucketSettings.objectLock === undefined) {
    throw new S3Refusal("InvalidRequest", "Bucket is missing Object Lock Configuration");
  }
  if (retention === undefined) {
    throw new S3Refusal("NoSuchObjectLockConfiguration");
  }
  const content = { Mode: retention.mode, RetainUntilDate: new Date(retention.untilMs).toISOString() };
  return xmlAnswer({ Retention: content });
}

export async function putObjectTagging(exchange: Exchange): Promise<Answer> {
  const xml = await receiveDocument(exchange);
  if (!xml.includes("<Tagging")) {
    throw new S3Refusal("MalformedXML");
  }
  const pairs = elementsOf(xml, "Tag").map(
    (tag) => [textOf(tag, "Key") ?? "", textOf(tag, "Value") ?? ""] as const,
  );
  requireVersion(exchange).tags = tagsOf(pairs);
  return emptyAnswer(200);
}

export function getObjectTagging(exchange: Exchange): Answer {
  const tags = Object.entries(requireVersion(exchange).tags);
  if (tags.length === 0 && exchange.settings.noTags === "no-such-tag-set") {
    throw new S3Refusal("NoSuchTagSet");
  }
  const content = { TagSet: { Tag: tags.map(([Key, Value]) => ({ Key, Value })) } };
  return xmlAnswer({ Tagging: content });
}
