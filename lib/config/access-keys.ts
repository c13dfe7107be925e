import type { ProxySettings } from "../network/proxy-rules.ts";
import type { SecretLearner } from "../observability/redact.ts";
import { type ProxyConfiguration, settingsOfProxy } from "./configuration.ts";
import type { SecretKeys } from "./kept-secrets.ts";
import type { PlatformCredentials } from "./rules.ts";

/** Access keys as requests are signed with them. */
export interface Keys {
  readonly ak: string;
  readonly sk: string;
  readonly securityToken?: string;
}

/** Gives the access keys out where they are used, and nowhere else. One serves platform and store. */
export class AccessKeys {
  readonly #credentials: PlatformCredentials;
  readonly #redactor: SecretLearner | undefined;
  readonly #proxy: ProxySettings;
  #secret: SecretKeys | undefined;

  /**
   * @param redactor learns the keys that are read from a secret before anybody else has them.
   * @param proxy on the way to that secret.
   */
  constructor(
    credentials: PlatformCredentials,
    redactor: SecretLearner | undefined,
    proxy: ProxyConfiguration,
  ) {
    this.#credentials = credentials;
    this.#redactor = redactor;
    this.#proxy = settingsOfProxy(proxy);
  }

  /**
   * The keys. @param refresh those given last were refused: read the secret again.
   * @throws ConfigurationError for a secret that holds no keys or may not be read.
   */
  async get(refresh: boolean): Promise<Keys> {
    const credentials = this.#credentials;
    const { ak, sk, securityToken } =
      credentials.kind === "static" ? credentials : await this.#read(credentials.secretId, refresh);
    return {
      ak: ak.reveal(),
      sk: sk.reveal(),
      ...(securityToken === undefined ? {} : { securityToken: securityToken.reveal() }),
    };
  }

  async #read(secretId: string, refresh: boolean) {
    // With it comes the AWS SDK: most have no secret, and read none.
    const { SecretKeys } = await import("./kept-secrets.ts");
    this.#secret ??= new SecretKeys(secretId, this.#proxy);
    const keys = await this.#secret.get(refresh);
    this.#redactor?.learn([keys.ak, keys.sk, keys.securityToken].filter((key) => key !== undefined));
    return keys;
  }

  /** Ends the connections there are. */
  close(): void {
    this.#secret?.close();
  }
}
