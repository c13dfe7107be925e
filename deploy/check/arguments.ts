import { parseArgs } from "node:util";

/** What the check has to know of the words that the deployment program is given. */
export interface DeployArguments {
  readonly stage: string;
  readonly params: ReadonlyMap<string, string>;
}

/** The stage of `serverless.yml` for when none is named. */
const USUAL_STAGE = "prod";

/** Reads `--stage NAME`, `--region NAME` and `--param=NAME=VALUE`; every other word is the deployment program's own. */
export function readArguments(args: readonly string[]): DeployArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      stage: { type: "string", short: "s" },
      region: { type: "string", short: "r" },
      param: { type: "string", multiple: true },
    },
    strict: false,
    allowPositionals: true,
  });
  const { stage = USUAL_STAGE, region, param = [] } = values;
  const pairs = (Array.isArray(param) ? param : [param]).map(String).map((text): [string, string] => {
    const [name = "", ...value] = text.split("=");
    return [name, value.join("=")];
  });
  // It wins over the stage's parameter, so that is what is checked and told.
  const regions: [string, string][] = region === undefined ? [] : [["awsRegion", String(region)]];
  return { stage: typeof stage === "string" ? stage : "", params: new Map([...pairs, ...regions]) };
}
