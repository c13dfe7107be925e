import * as v from "valibot";
import type { ProxyConfiguration } from "./configuration.ts";
import { eventSecret } from "./events-part.ts";
import { settingsOfProxy } from "./proxy-settings.ts";
import { SecretReader } from "./secret-reader.ts";

/**
 * Reads the secret of HTTP events from AWS Secrets Manager, where it is a plain text.
 *
 * @throws ConfigurationError when it does not exist, may not be read or is not such a secret; `ArchiverError`
 * `secret-unavailable` when Secrets Manager does not answer.
 */
export async function readEventSecret(secretId: string, proxy: ProxyConfiguration): Promise<string> {
  const reader = new SecretReader("ARCHIVER_EVENT_SECRET_ID", secretId, settingsOfProxy(proxy));
  try {
    const parsed = v.safeParse(eventSecret, await reader.read({ forceFetch: true, maxAgeSeconds: 0 }));
    if (!parsed.success) {
      throw reader.wrong(
        `names a secret that ${parsed.issues[0].message}`,
        "Store a plain text of 16 to 1024 printable characters without spaces.",
      );
    }
    return parsed.output.reveal();
  } finally {
    reader.close();
  }
}
