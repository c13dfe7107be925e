import { at, fieldsOf, intrinsicOf, type Json, listOf, textOf } from "./template.ts";

/**
 * A template as CloudFormation takes it: of each `Fn::If` what its condition chooses, `AWS::NoValue` left out.
 *
 * @throws Error for a condition that is not there, or is made of more than `Fn::Not` and `Fn::Equals` of texts.
 */
export function withConditionsDecided(template: Json): Json {
  return decided(template, fieldsOf(at(template, "Conditions"))) ?? null;
}

/** `undefined` for what is left out. */
function decided(value: Json, conditions: { [name: string]: Json }): Json | undefined {
  const reference = intrinsicOf(value);
  if (reference?.name === "Fn::If") {
    const [name, yes = null, no = null] = listOf(reference.argument);
    return decided(holds(conditions[textOf(name)]) ? yes : no, conditions);
  }
  if (reference?.name === "Ref" && reference.argument === "AWS::NoValue") {
    return undefined;
  }
  if (Array.isArray(value)) {
    return value.map((element) => decided(element, conditions)).filter((element) => element !== undefined);
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  const fields = Object.entries(value).map(([name, field]) => [name, decided(field, conditions)] as const);
  return Object.fromEntries(fields.filter((field): field is [string, Json] => field[1] !== undefined));
}

function holds(condition: Json | undefined): boolean {
  const { name, argument } = intrinsicOf(condition) ?? {};
  const [one, other] = listOf(argument);
  if (name === "Fn::Not") {
    return !holds(one);
  }
  if (name === "Fn::Equals" && typeof one === "string" && typeof other === "string") {
    return one === other;
  }
  throw new Error(`the tests cannot decide ${JSON.stringify(condition)}`);
}
