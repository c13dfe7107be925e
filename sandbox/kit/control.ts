import * as v from "valibot";
import { type Answer, jsonAnswer } from "./answer.ts";

/** One request to the control. */
export interface ControlRequest {
  /** The second part of the path, empty where it has one part. */
  readonly id: string;
  readonly query: URLSearchParams;
  /** The body, parsed; `undefined` where there is none. */
  readonly input: unknown;
}

/** What the control does, by method and path: `POST tasks/:id/overwrite`. A schema's error becomes a 400. */
export type ControlActions = Readonly<Record<string, (request: ControlRequest) => Answer | Promise<Answer>>>;

/** A stand-in's own door, past the rules and faults that its clients meet. */
export interface Control {
  /** Everything below this path is for the control. */
  readonly prefix: string;
  readonly actions: ControlActions;
  refusal(status: number, code: string, message: string): Answer;
}

/** What every stand-in's control does: faults, settings, the request log and the state. */
export function commonActions<Rule, Patch>(standIn: {
  readonly faultRuleSchema: v.GenericSchema<unknown, Rule>;
  addFaults(rules: readonly Rule[]): void;
  clearFaults(): void;
  readonly settingsPatchSchema: v.GenericSchema<unknown, Patch>;
  changeSettings(patch: Patch): void;
  readonly log: { read(after: number): unknown };
  state(): unknown;
}): ControlActions {
  return {
    "POST faults": ({ input }) => {
      const rules = v.parse(v.array(standIn.faultRuleSchema), asArray(input));
      standIn.addFaults(rules);
      return jsonAnswer(200, { scripted: rules.length });
    },
    "DELETE faults": () => {
      standIn.clearFaults();
      return jsonAnswer(200, {});
    },
    "PATCH settings": ({ input }) => {
      standIn.changeSettings(v.parse(standIn.settingsPatchSchema, input));
      return jsonAnswer(200, {});
    },
    "GET requests": ({ query }) => jsonAnswer(200, standIn.log.read(Number(query.get("after") ?? 0))),
    "GET state": () => jsonAnswer(200, standIn.state()),
  };
}

/** Answers a request below the control's prefix; `url` is the path and query as sent. */
export async function answerControl(
  { prefix, actions, refusal }: Control,
  method: string,
  url: string,
  body: Buffer | "too-large",
): Promise<Answer> {
  if (body === "too-large") {
    return { ...refusal(413, "size", "the body is too large"), ending: "closed" };
  }
  const { pathname, searchParams: query } = new URL(url, "http://stand-in");
  const [resource, id, verb] = pathname.slice(prefix.length + 1).split("/");
  const action = actions[`${method} ${resource}${id === undefined ? "" : "/:id"}${verb ? `/${verb}` : ""}`];
  const text = body.toString("utf8");
  const input = v.safeParse(v.union([v.literal(""), v.pipe(v.string(), v.parseJson())]), text);
  if (!input.success) {
    return refusal(400, "json", "the body is not JSON");
  }
  if (action === undefined) {
    return refusal(404, "unknown", "no such control");
  }
  try {
    return await action({ id: id ?? "", query, input: text === "" ? undefined : input.output });
  } catch (thrown) {
    if (v.isValiError(thrown)) {
      return refusal(400, "input", describeIssues(thrown.issues));
    }
    throw thrown;
  }
}

/** What may be one or several. */
export function asArray(input: unknown): unknown[] {
  return Array.isArray(input) ? input : [input];
}

/** Every issue with its place, so that a typo in a script or a configuration is found at once. */
export function describeIssues(issues: readonly v.BaseIssue<unknown>[]): string {
  return issues.map((issue) => `${v.getDotPath(issue) ?? "input"}: ${issue.message}`).join("; ");
}
