import {
  GetBucketLifecycleConfigurationCommand,
  GetBucketVersioningCommand,
  type LifecycleRule as SdkRule,
} from "@aws-sdk/client-s3";
import type { BucketPort, LifecycleRule } from "../../doctor/ports.ts";
import { unless } from "../../domain/promises.ts";
import type { CallOptions } from "../../ports/platform.ts";
import { S3Bucket } from "./bucket.ts";
import { makeS3Client, type S3StoreOptions, type S3StoreParts } from "./client.ts";
import { S3Error } from "./s3-error.ts";

/** What a bucket does to objects of its own accord. Errors are StoreErrors, or the signal's reason. */
export class BucketRules implements BucketPort {
  readonly #bucket: S3Bucket;

  constructor(options: S3StoreOptions, parts: S3StoreParts) {
    this.#bucket = new S3Bucket(makeS3Client(options, parts), options, parts);
  }

  /** Whether it keeps versions. */
  async versioning({ signal }: CallOptions): Promise<"on" | "suspended" | "off"> {
    const { bucket } = this.#bucket.options;
    const command = new GetBucketVersioningCommand({ Bucket: bucket });
    const request = { operation: "GetBucketVersioning", subject: bucket, signal };
    return await this.#bucket.send(request, command, ({ Status }) =>
      Status === "Enabled" ? "on" : Status === "Suspended" ? "suspended" : "off",
    );
  }

  /** The rules that are on; none where the bucket has no lifecycle. */
  async lifecycle({ signal }: CallOptions): Promise<readonly LifecycleRule[]> {
    const { bucket } = this.#bucket.options;
    const command = new GetBucketLifecycleConfigurationCommand({ Bucket: bucket });
    const request = { operation: "GetBucketLifecycleConfiguration", subject: bucket, signal };
    const rules = this.#bucket.send(request, command, ({ Rules = [] }) => Rules);
    const hasNone = (thrown: unknown) =>
      thrown instanceof S3Error && thrown.s3Code === "NoSuchLifecycleConfiguration";
    return (await unless(hasNone, rules, [])).filter(({ Status }) => Status === "Enabled").map(ruleOf);
  }

  /** Ends the connections. */
  close(): void {
    this.#bucket.client.destroy();
  }
}

function ruleOf({ ID = "", Filter, Prefix, Expiration }: SdkRule): LifecycleRule {
  const { And, Tag, ObjectSizeGreaterThan, ObjectSizeLessThan } = Filter ?? {};
  const narrows = [
    Tag,
    ObjectSizeGreaterThan,
    ObjectSizeLessThan,
    And?.Tags,
    And?.ObjectSizeGreaterThan,
    And?.ObjectSizeLessThan,
  ];
  return {
    name: ID,
    prefix: And?.Prefix ?? Filter?.Prefix ?? Prefix ?? "",
    isNarrowed: narrows.some((narrow) => narrow !== undefined),
    // A rule may also end the markers of removed objects alone.
    expires: Expiration?.Days !== undefined || Expiration?.Date !== undefined,
    afterDays: Expiration?.Days,
  };
}
