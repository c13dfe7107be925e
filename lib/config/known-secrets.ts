import type { Secret } from "../observability/secret.ts";
import type { CommonConfiguration, ConfigurationParts, PlatformCredentials } from "./configuration.ts";

/** Every secret the configuration holds, for the redaction of logs. */
export function knownSecrets(
  configuration: CommonConfiguration & Partial<Pick<ConfigurationParts, "platform" | "store">>,
): Secret[] {
  const { platform, store, proxy } = configuration;
  const storeKeys =
    store?.kind === "s3" && store.credentials.kind === "huawei" ? [store.credentials.keys] : [];
  const keys = [...(platform === undefined ? [] : [platform.credentials]), ...storeKeys].flatMap(
    secretsOfKeys,
  );
  return [...keys, proxy.httpProxy, proxy.httpsProxy].filter((secret) => secret !== undefined);
}

function secretsOfKeys(keys: PlatformCredentials): (Secret | undefined)[] {
  return keys.kind === "static" ? [keys.ak, keys.sk, keys.securityToken] : [];
}
