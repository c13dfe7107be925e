/** Who can be told, by the interface that it has. */
export type TargetKind = "json" | "slack" | "wecom" | "dingtalk" | "feishu" | "sns" | "mail";

/** Gives an address out where it is used, and nowhere else: it holds the right to write to somebody. */
export interface SecretAddress {
  reveal(): string;
}

/** One who is told. */
export interface Target<Address = SecretAddress> {
  readonly kind: TargetKind;
  /** Kind and host: all that is ever shown of it. */
  readonly name: string;
  /** A web address, the ARN of a topic, or a mail address. */
  readonly address: Address;
}

const WEB = /^(?:(?<kind>slack|wecom|dingtalk|feishu)\+)?(?<address>https?:\/\/.*)$/;
const TOPIC =
  /^sns:(?<address>arn:aws[a-z-]{0,20}:sns:(?<region>[a-z0-9-]{2,32}):\d{12}:[A-Za-z0-9_-]{1,256})$/;
const MAIL = /^mailto:(?<address>[^\s@,;:<>?"()[\]\\]{1,64}@(?<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})))$/;

/**
 * Reads one target: `https://…`, `slack+https://…` and its like, `sns:ARN` or `mailto:address`.
 *
 * @returns `undefined` for what is none of them.
 */
export function parseTarget(text: string): Target<string> | undefined {
  const { kind = "json", address = "" } = WEB.exec(text)?.groups ?? {};
  const url = URL.parse(address);
  if (url !== null) {
    const hasUser = url.username !== "" || url.password !== "";
    return hasUser ? undefined : { kind: kind as TargetKind, name: `${kind} ${url.host}`, address: url.href };
  }
  const topic = TOPIC.exec(text)?.groups;
  if (topic !== undefined) {
    return { kind: "sns", name: `sns ${topic.region}`, address: topic.address ?? "" };
  }
  const mail = MAIL.exec(text)?.groups;
  return mail && { kind: "mail", name: `mail ${mail.host}`, address: mail.address ?? "" };
}

/** The same targets, each with a name of its own: the second of one kind and host ends in `(2)`. */
export function namedApart<Address>(targets: readonly Target<Address>[]): readonly Target<Address>[] {
  const taken = new Set<string>();
  return targets.map((target) => {
    let { name } = target;
    for (let number = 2; taken.has(name); number += 1) {
      name = `${target.name} (${number})`;
    }
    taken.add(name);
    return { ...target, name };
  });
}
